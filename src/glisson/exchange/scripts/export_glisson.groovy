/*
 * Exports the corrected annotations of the open image to PROJECT/edited/IMAGE.geojson.
 * One image: Run. All images: Run, Run for project.
 * The block "glisson" says which image the coordinates count in: `glisson tiles` refuses others.
 * Its width and height say whether QuPath cropped the image to the scanned area or showed it whole.
 */
import com.google.gson.JsonObject
import com.google.gson.JsonParser
import static qupath.lib.scripting.QP.*

def name = getProjectEntry().getImageName()
def folder = buildFilePath(PROJECT_BASE_DIR, "edited")
mkdirs(folder)
def safe = name.replaceAll(/[\\\/:*?"<>|]/, "_")
def path = buildFilePath(folder, safe + ".geojson")
exportObjectsToGeoJson(getAnnotationObjects(), path, "FEATURE_COLLECTION")

def server = getCurrentServer()
def block = new JsonObject()
block.addProperty("image", name)
block.addProperty("frame", "qupath")
block.addProperty("width", server.getWidth())
block.addProperty("height", server.getHeight())
block.addProperty("pixelWidth", server.getPixelCalibration().getPixelWidthMicrons())
block.addProperty("pixelHeight", server.getPixelCalibration().getPixelHeightMicrons())
def file = new File(path)
def document = JsonParser.parseString(file.getText("UTF-8")).getAsJsonObject()
document.add("glisson", block)
file.setText(document.toString(), "UTF-8")
println "${name}: ${getAnnotationObjects().size()} annotations to ${path}"
