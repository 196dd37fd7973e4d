import Glibc
import Testing
import WeirData
import WeirTesting

@Suite(.enabled(if: FaultShim.isThere, "\(FaultShim.obstacle)"))
struct `A run that gets too little` {
  @Test func `of the size of files or of open files goes well or fails as a whole`() throws {
    let sizes = [1, 300, 4_000, 20_000, 60_000, 90_000].map { "--fsize=\($0)" }
    let files = [16, 18, 20, 22, 24, 28, 32, 40, 64].map { "--nofile=\($0)" }
    var cases: [TortureCase] = []
    for (turn, scenario) in try Scenario.all().enumerated() {
      for limit in Torture.some(sizes + files, oneIn: 3, turn: turn) {
        cases.append(
          TortureCase(family: "limit", name: "\(limit) | \(scenario.name)") {
            let folder = try scenario.folder()
            defer { folder.remove() }
            let outcome = folder.weir(scenario.arguments, prefix: ["prlimit", limit])
            return judge(outcome, scenario, folder) + scenario.recovered(folder)
          })
      }
    }
    torture("limits", points: sizes.count + files.count, cases)
  }

  @Test(.enabled(if: SmallDisk.isPossible, "no user namespaces with mounts here"))
  func `of the disk goes well or fails as a whole`() throws {
    var cases: [TortureCase] = []
    // More than what stands there before, in KiB.
    let sizes = Torture.some([0, 4, 8, 12, 20, 28, 40, 60, 90, 130, 200, 400], oneIn: 4)
    for scenario in try Scenario.all() {
      for size in sizes {
        cases.append(
          TortureCase(family: "limit", name: "disk \(size) KiB | \(scenario.name)") {
            let disk = try SmallDisk(scenario, more: size)
            defer { disk.remove() }
            let struck = CaseFolder(at: disk.results + "/struck")
            let after = CaseFolder(at: disk.results + "/after")
            return try judge(disk.outcome("first"), scenario, struck)
              + scenario.recovered(after, disk.outcome("second"))
          })
      }
    }
    torture("small disks", points: sizes.count, cases)
  }

  private func judge(
    _ outcome: RunningBinary.Outcome, _ scenario: Scenario, _ folder: CaseFolder
  ) -> [String] {
    let (version, torn) = scenario.version(in: folder)
    guard torn.isEmpty else { return torn }
    switch outcome.exit {
    case 0: return version == .new ? [] : ["it is done and the outputs are the \(version) ones"]
    case 1:
      var complaints: [String] = []
      if version != .old { complaints.append("it failed and the outputs are the \(version) ones") }
      let error = outcome.json?["error"]
      if (error?["message"]?.string ?? "").isEmpty || (error?["fix"]?.string ?? "").isEmpty {
        complaints.append("its last line is \(outcome.lastLine)")
      }
      return complaints
    default: return ["it ended with \(outcome.exitText): \(outcome.errors)"]
    }
  }
}

/// Two runs in a namespace of their own: one on a disk that is too small, and one after it was made
/// larger.
private struct SmallDisk {
  let results: String
  private let place: CaseFolder

  static let isPossible =
    (try? RunningBinary.run(
      "unshare", ["-Urm", "sh", "-c", "mount -t tmpfs -o size=64k none /mnt"]))?.exit == 0

  private static let script = """
    set -e
    size=$1 place=$2 results=$3
    shift 3
    mount -t tmpfs -o size=64m none "$place"
    cp -a "$results/template/." "$place"
    used=$(df --output=used "$place" | tail -1)
    mount -o remount,size=$((used + size))k "$place"
    cd "$place"
    set +e
    "$@" > "$results/first.out" 2> "$results/first.err"
    echo $? > "$results/first.exit"
    cp -a "$place" "$results/struck"
    mount -o remount,size=64m "$place"
    "$@" > "$results/second.out" 2> "$results/second.err"
    echo $? > "$results/second.exit"
    cp -a "$place" "$results/after"
    """

  init(_ scenario: Scenario, more size: Int) throws {
    results = try CaseFolder().path
    place = try CaseFolder()
    try makeFolder(results + "/template")
    try scenario.template.restore(in: results + "/template")
    let command =
      [
        RunningBinary.weir!, "run", "p.json", "--json", "--progress", "none", "--workspace",
        place.path,
      ] + scenario.arguments
    Mounts.own()
    defer { Mounts.giveBack() }
    let outcome = try RunningBinary.run(
      "unshare",
      ["-Urm", "sh", "-c", SmallDisk.script, "sh", "\(size)", place.path, results] + command)
    guard outcome.exit == 0 else { throw Trouble("the small disk: \(outcome.errors)") }
  }

  func outcome(_ which: String) throws -> RunningBinary.Outcome {
    let exit = lines(of: try readFile("\(results)/\(which).exit")).first.flatMap { Int32($0) }
    return RunningBinary.Outcome(
      exit: exit, signal: nil, stdout: try readFile("\(results)/\(which).out"),
      stderr: try readFile("\(results)/\(which).err"))
  }

  func remove() {
    removeAll(results)
    place.remove()
  }
}
