/*
 * Imports Glisson's outlines into the open image.
 * One image: Run, then File, Save. All images: Run, Run for project. Then correct what is wrong.
 *
 * "Portal tract?" is a candidate: an area that the model is too unsure of, and that counts nowhere.
 * If it is a portal tract, give it the class "Portal tract". If not, delete it.
 * "Portal tract: not counted" is portal area that is too narrow to count as a tract. Where you see two
 * of bile duct, artery and portal vein in it, give it the class "Portal tract".
 *
 * An image that was imported into, or that has portal tracts of anybody's, is left alone: running
 * this twice neither doubles an outline nor undoes a correction.
 *
 * REPLACE: change false to true to start again from Glisson's outlines. It takes away what Glisson
 * once imported, corrected or not, keeps a copy of it in PROJECT/replaced, and leaves all that was
 * drawn by hand. ARTEFACTS: change it to true to import pens, folds, bubbles, dust and what is out
 * of focus as well. No need to save the script. On the command line: -a replace, -a artefacts.
 */
import com.google.gson.Gson
import java.text.Normalizer
import static qupath.lib.scripting.QP.*

def words = (args ?: []) as List
def REPLACE = false || words.contains("replace")
def ARTEFACTS = false || words.contains("artefacts")

def project = getProject()
def imageData = getCurrentImageData()
def entry = project == null || imageData == null ? null : project.getEntry(imageData)
if (entry == null) {
    println "Open the project that Glisson made, and an image of it; then run this again."
    return
}
def imageName = entry.getImageName()
def server = imageData.getServer()
def folder = project.getPath().getParent()

// Which of Glisson's slides this is: by its file, as an image may have been renamed or masked.
def composed = { Normalizer.normalize(it as String, Normalizer.Form.NFC) }
def pathOf = { URI uri -> composed(uri.getPath() ?: uri.toString()) }
def nameOf = { String path -> path.tokenize("/").last() }
def paths = server.getURIs().collect { pathOf(it) }
def names = paths.collect { nameOf(it) }
def index = folder.resolve("glisson.json").toFile()
if (!index.exists()) {
    println "${imageName}: ${index} is missing; run glisson segment again"
    return
}
def slides = new Gson().fromJson(index.getText("UTF-8"), Map).get("images")
def alike = slides.findAll { nameOf(pathOf(new URI(it.uri))) in names }
def slide = alike.find { pathOf(new URI(it.uri)) in paths }
if (slide == null) {
    slide = alike.find { String.valueOf(it.entry_id as long) == entry.getID() }
}
if (slide == null && alike.size() == 1) {
    slide = alike.first()
}
if (slide == null) {
    println "${imageName}: Glisson has no outlines for it; skipped"
    return
}
if (server.getClass().getSimpleName() in ["RotatedImageServer", "CroppedImageServer", "AffineTransformImageServer"]) {
    println "${imageName}: is shown rotated or cropped, where the outlines would lie wrong; skipped. " +
            "Add the image again without rotation."
    return
}

// What the slide may be called in a file of its outlines: its image, its file or its results folder.
def callings = [slide.image, slide.results, nameOf(pathOf(new URI(slide.uri)))].findAll().collect { composed(it) }

// QuPath's own objects have random ids (version 4); Glisson's are made from slide and model.
def isOurs = {
    it.getID().version() == 5 && (it.getMetadata().containsKey("Model") || it.getMetadata().containsKey("Source"))
}
def classOf = { it.getPathClass() == null ? "" : it.getPathClass().toString() }
def isCandidate = { classOf(it) == "Portal tract?" || classOf(it).startsWith("Portal tract?:") }

def attempt = { String what, Closure step ->
    try {
        step()
    } catch (Throwable error) {
        println "${imageName}: QuPath could not ${what} (${error}); the outlines are imported all the same"
    }
}

// Every imported tract lies within the imported tissue. QuPath's own resolveHierarchy() would find that
// out pair by pair, which takes QuPath 0.7 more than a minute for 700 tracts.
def putBelowTissue = { Collection before ->
    def imported = getAnnotationObjects().findAll { isOurs(it) && it.getMetadata().containsKey("Model") }
    def tissue = imported.find { classOf(it) == "Tissue" }
    if (tissue == null) {
        return
    }
    def hierarchy = getCurrentHierarchy()
    imported.findAll { it != tissue && !(it in before) && classOf(it).startsWith("Portal tract") }.each {
        hierarchy.addObjectBelowParent(tissue, it, false)
    }
    fireHierarchyUpdate()
}

def importOnce = { String what, String path, Closure isOfKind ->
    def file = folder.resolve(path).normalize().toFile()
    if (!file.exists()) {
        println "${imageName}: ${file} is missing; skipped"
        return
    }
    def present = getAnnotationObjects().findAll { isOfKind(it) }
    def mark = "Glisson " + what
    if (!REPLACE && (imageData.getProperty(mark) != null || !present.isEmpty())) {
        println "${imageName}: ${what} were imported or drawn before; left alone (${present.size()} now). " +
                "REPLACE, in the script's first lines, brings Glisson's back."
        return
    }
    def block = new Gson().fromJson(file.getText("UTF-8"), Map).get("glisson")
    if (block.image != null && !(composed(block.image) in callings)) {
        println "${imageName}: ${file} holds the ${what} of ${block.image}, another slide; skipped. " +
                "Run glisson segment on this slide again."
        return
    }
    int width = block.width as int
    int height = block.height as int
    if (width != server.getWidth() || height != server.getHeight()) {
        println "${imageName}: QuPath shows ${server.getWidth()} x ${server.getHeight()} px, the ${what} are for " +
                "${width} x ${height} px; skipped. Open the image with OpenSlide, not rotated."
        return
    }
    def old = REPLACE ? present.findAll { isOurs(it) } : []
    if (!old.isEmpty()) {
        def kept = folder.resolve("replaced").toFile()
        kept.mkdirs()
        def copy = new File(kept, "${slide.results}, ${what}, ${System.currentTimeMillis()}.geojson".toString())
        exportObjectsToGeoJson(old, copy.toString(), "FEATURE_COLLECTION")
        println "${imageName}: ${old.size()} ${what} replaced; what they were is in ${copy}"
        removeObjects(old, true)
    }
    try {
        importObjectsFromFile(file.toString())
    } catch (Throwable error) {
        getCurrentHierarchy().addObjects(old)
        throw error
    }
    // Saved with the annotations, so that the one is never there without the other. What follows is
    // for comfort: its failure must not cost the outlines.
    imageData.setProperty(mark, block.model.toString())
    attempt("set the pixel size") {
        if (block.pixelSizeSource == "override" || !server.getPixelCalibration().hasPixelSizeMicrons()) {
            setPixelSizeMicrons(block.pixelWidth as double, block.pixelHeight as double)
        }
    }
    if (what == "outlines") {
        attempt("set the image type") {
            // QuPath asks for the type of an image at every opening until it has one.
            if (imageData.getImageType().name() == "UNSET") {
                setImageType("BRIGHTFIELD_H_E")
            }
        }
        attempt("put the tracts below the tissue") { putBelowTissue(present) }
    }
    println "${imageName}: ${getAnnotationObjects().count { isOfKind(it) }} ${what}"
    def candidates = getAnnotationObjects().count { isCandidate(it) }
    if (what == "outlines" && candidates > 0) {
        println "${imageName}: ${candidates} of them are candidates (Portal tract?), not counted: " +
                "give a true one the class Portal tract, delete the others"
    }
}

importOnce("outlines", slide.outlines) {
    classOf(it).startsWith("Portal tract") || (classOf(it) == "Tissue" && isOurs(it))
}
if (ARTEFACTS) {
    importOnce("artefacts", slide.artefacts) { classOf(it).startsWith("Artefact") && isOurs(it) }
}
