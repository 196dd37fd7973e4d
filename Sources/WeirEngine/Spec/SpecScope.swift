import Glibc
import WeirData
import WeirExpressions

/// What the options of a stage are read with: the parameters of the file in which it stands, the folder
/// of that file, the day of the run.
struct SpecScope: Sendable {
  var params: ResolvedParams
  /// The folder of a fragment, seen from that of the spec; empty for the spec itself.
  var folder = ""
  var today: CivilDate

  /// For the values of manuals.
  static let empty = SpecScope(params: ResolvedParams(), today: CivilDate(daysSinceEpoch: 0))

  /// A path that stands in the file, seen from the folder of the spec.
  func path(_ path: String) -> String { SpecScope.path(path, in: folder) }

  static func path(_ path: String, in folder: String) -> String {
    folder.utf8.isEmpty || isAbsolute(path) ? path : normalizedPath(folder + "/" + path)
  }
}

/// The instants of a run that its spec can ask for.
public enum SpecClock {
  /// Seconds since 1970, by the clock of the machine.
  public static func now() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec)
  }
}
