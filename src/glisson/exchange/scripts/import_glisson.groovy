/*
 * Imports Glisson's outlines into the open image.
 * One image: Run. All images: Run, Run for project. Then correct what is wrong.
 *
 * An image that already has portal tracts is left alone, so that running this twice never
 * undoes a correction. To replace them, run with the argument "replace".
 */
import com.google.gson.JsonParser
import static qupath.lib.scripting.QP.*

def REPLACE = args != null && args.contains("replace")
def imageData = getCurrentImageData()
def server = imageData.getServer()
def project = getProject()
def imageName = project.getEntry(imageData).getImageName()
def folder = project.getPath().getParent()
def index = new JsonParser().parse(folder.resolve("glisson.json").toFile().getText("UTF-8"))
def entry = index.getAsJsonObject("images").get(imageName)
if (entry == null) {
    println "${imageName}: Glisson has no outlines for it; skipped"
    return
}
def file = folder.resolve(entry.getAsString()).normalize().toFile()
if (!file.exists()) {
    println "${imageName}: ${file} is missing; skipped"
    return
}
def present = getAnnotationObjects().findAll { it.getPathClass() == getPathClass("Portal tract") }
if (!present.isEmpty() && !REPLACE) {
    println "${imageName}: has ${present.size()} portal tracts already; left alone"
    return
}
def block = new JsonParser().parse(file.getText("UTF-8")).getAsJsonObject("glisson")
def width = block.get("width").getAsInt()
def height = block.get("height").getAsInt()
if (width != server.getWidth() || height != server.getHeight()) {
    println "${imageName}: QuPath shows ${server.getWidth()} x ${server.getHeight()} px, the outlines " +
            "are for ${width} x ${height} px; skipped. Open the image with OpenSlide, not rotated."
    return
}
if (block.get("pixelSizeSource").getAsString() == "override") {
    setPixelSizeMicrons(block.get("pixelWidth").getAsDouble(), block.get("pixelHeight").getAsDouble())
}
if (REPLACE) {
    removeObjects(present, true)
}
importObjectsFromFile(file.toString())
resolveHierarchy()
def count = getAnnotationObjects().count { it.getPathClass() == getPathClass("Portal tract") }
println "${imageName}: ${count} portal tracts"
