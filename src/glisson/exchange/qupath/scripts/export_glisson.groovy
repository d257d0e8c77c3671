/*
 * Exports the corrected annotations of the open image to PROJECT/edited/IMAGE.geojson.
 * One image: Run. All images: File, Save, then Run, Run for project, which reads what was saved.
 * `glisson measure RESULTS` takes them from there. Give GLISSON, below, the place of the program
 * glisson (or on the command line: -a glisson=PROGRAM), and the script measures each image at once
 * and shows its table. Candidates ("Portal tract?") are exported too, but
 * never measured: before, give a true one the class "Portal tract" and delete the others.
 *
 * The block "glisson" says which image the coordinates count in: `glisson tiles` and `glisson
 * measure` refuse others. Its width and height say whether QuPath cropped the image to the scanned
 * area or showed it whole. In a project that Glisson did not make, the slide's file name names it.
 */
import com.google.gson.Gson
import com.google.gson.JsonObject
import com.google.gson.JsonParser
import java.nio.file.Files
import java.nio.file.StandardCopyOption
import java.text.Normalizer
import qupath.lib.common.GeneralTools
import static qupath.lib.scripting.QP.*

def words = (args ?: []) as List
def GLISSON = words.find { it.startsWith("glisson=") }?.substring("glisson=".length()) ?: ""

def project = getProject()
def imageData = getCurrentImageData()
def entry = project == null || imageData == null ? null : project.getEntry(imageData)
if (entry == null) {
    println "Open a project and an image of it; then run this again."
    return
}
def imageName = entry.getImageName()
def server = imageData.getServer()
def folder = project.getPath().getParent()

if (server.getClass().getSimpleName() in ["RotatedImageServer", "CroppedImageServer", "AffineTransformImageServer"]) {
    println "${imageName}: is shown rotated or cropped, so its outlines lie elsewhere on the slide; skipped"
    return
}

// Which of Glisson's slides this is: by its file, as an image may have been renamed or masked.
def pathOf = { URI uri -> Normalizer.normalize(uri.getPath() ?: uri.toString(), Normalizer.Form.NFC) }
def nameOf = { String path -> path.tokenize("/").last() }
def paths = server.getURIs().collect { pathOf(it) }
def names = paths.collect { nameOf(it) }
def index = folder.resolve("glisson.json").toFile()
def slides = index.exists() ? new Gson().fromJson(index.getText("UTF-8"), Map).get("images") : []
def alike = slides.findAll { nameOf(pathOf(new URI(it.uri))) in names }
def slide = alike.find { pathOf(new URI(it.uri)) in paths }
if (slide == null) {
    slide = alike.find { String.valueOf(it.entry_id as long) == entry.getID() }
}
if (slide == null && alike.size() == 1) {
    slide = alike.first()
}

// Glisson's own artefacts are no corrections; of lines in several parts QuPath's export fails
// (qupath 2115, fixed after 0.7), and they enclose nothing.
def isArtefact = {
    it.getID().version() == 5 && it.getMetadata().containsKey("Source") &&
            it.getPathClass() != null && it.getPathClass().toString().startsWith("Artefact")
}
def isTorn = { it.getROI().isLine() && it.getROI().getGeometry().getNumGeometries() > 1 }
def all = getAnnotationObjects().findAll { !isArtefact(it) }
def annotations = all.findAll { !isTorn(it) }
if (annotations.size() < all.size()) {
    println "${imageName}: ${all.size() - annotations.size()} lines in several parts are left out"
}
if (annotations.isEmpty() && imageData.getProperty("Glisson outlines") == null) {
    println "${imageName}: nothing was imported or drawn; skipped"
    return
}

// Several images of one file, such as a duplicate, must not overwrite each other's export.
def fileName = slide != null ? slide.image : names.isEmpty() ? imageName : names.first()
def twins = project.getImageList().findAll { each ->
    each.getURIs().any { nameOf(pathOf(it)) in names } && each.getID() != entry.getID()
}
def isFirst = twins.every { (it.getID() as long) > (entry.getID() as long) }
def isApart = slide != null && slides.count { it.image == slide.image } == 1 && alike.size() > 1
def safe = fileName.replaceAll(/[\\\/:*?"<>|]/, "_") + (isFirst || isApart ? "" : " (image ${entry.getID()})")

def block = new JsonObject()
block.addProperty("image", slide != null ? slide.results : fileName)
block.addProperty("frame", "qupath")
block.addProperty("width", server.getWidth())
block.addProperty("height", server.getHeight())
def calibration = server.getPixelCalibration()
if (calibration.hasPixelSizeMicrons()) {
    block.addProperty("pixelWidth", calibration.getPixelWidthMicrons())
    block.addProperty("pixelHeight", calibration.getPixelHeightMicrons())
}
block.addProperty("tool", "QuPath " + GeneralTools.getVersion())

// Written beside its place and renamed, so that an earlier export is there until this one is whole.
def edited = folder.resolve("edited")
Files.createDirectories(edited)
def path = edited.resolve((safe + ".geojson").toString())
def unfinished = edited.resolve(("." + safe + ".unfinished.geojson").toString()).toFile()
try {
    exportObjectsToGeoJson(annotations, unfinished.toString(), "FEATURE_COLLECTION")
    def document = JsonParser.parseString(unfinished.getText("UTF-8")).getAsJsonObject()
    document.add("glisson", block)
    unfinished.setText(document.toString(), "UTF-8")
    Files.move(unfinished.toPath(), path, StandardCopyOption.REPLACE_EXISTING)
} finally {
    unfinished.delete()
}
println "${imageName}: ${annotations.size()} annotations to ${path}"
def unclassified = annotations.findAll { it.getPathClass() == null && it.getROI().isArea() }
if (!unclassified.isEmpty()) {
    println "${imageName}: ${unclassified.size()} outlines have no class and will not be measured: " +
            "give them the class Portal tract, or delete them"
}
def candidates = annotations.count { it.getPathClass() != null && it.getPathClass().toString().startsWith("Portal tract?") }
if (candidates > 0) {
    println "${imageName}: ${candidates} of them are candidates (Portal tract?), which will not be measured"
}
if (GLISSON != "" && slide != null) {
    def command = [GLISSON, "measure", folder.getParent().toString(), "--from", path.toString()]
    try {
        def process = new ProcessBuilder(command).redirectErrorStream(true).start()
        println process.getInputStream().getText("UTF-8")
        println "${imageName}: glisson measure ended with exit code ${process.waitFor()}"
    } catch (IOException error) {
        println "${imageName}: exported, but ${GLISSON} does not start: ${error.getMessage()}"
    }
}
