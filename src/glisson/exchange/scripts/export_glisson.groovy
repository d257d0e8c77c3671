/*
 * Exports the corrected annotations of the open image to PROJECT/edited/IMAGE.geojson.
 * One image: Run. All images: Run, Run for project.
 */
import static qupath.lib.scripting.QP.*

def name = getProjectEntry().getImageName()
def folder = buildFilePath(PROJECT_BASE_DIR, "edited")
mkdirs(folder)
def safe = name.replaceAll(/[\\\/:*?"<>|]/, "_")
def path = buildFilePath(folder, safe + ".geojson")
exportObjectsToGeoJson(getAnnotationObjects(), path, "FEATURE_COLLECTION")
println "${name}: ${getAnnotationObjects().size()} annotations to ${path}"
