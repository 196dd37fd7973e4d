import ArgumentParser
import Glibc
import WeirCatalog
import WeirEngine

/// How runs are to be done, for the commands that start them or look ahead at them.
struct RunSettings: ParsableArguments {
  @OptionGroup var values: ParamOptions

  @Option(help: "The output directory itself (default: out/NAME/PARTITION beside the workspace).")
  var out: String?

  @Option(
    help:
      "The folder with the .weir workspace (default: the nearest one above the spec, else here).")
  var workspace: String?

  @Option(help: "Shards worked on at once (default: one a processor).")
  var workers: Int?

  @Option(
    help: ArgumentHelp(
      "Memory to work in, as 256MB, 1GiB or 4g; what needs more is put on the disk meanwhile (default: a quarter of the machine's).",
      valueName: "size"))
  var memory: MemorySize?

  @Option(help: "Target size of a batch in KiB; changes speed and memory, never a result.")
  var batchKib = 256

  @Option(help: "Runs whose outputs are kept, this one included.")
  var keep = 3

  @Option(
    help:
      "Times that reading a shard is tried again where a network file system does not answer (EAGAIN, EINTR, EIO, ESTALE, ETIMEDOUT)."
  )
  var retries = 2

  @Option(
    help: ArgumentHelp(
      "Disk that digests may take in the workspace, as 20GB, or 0 for none: with them a shard is read once, and a run that was stopped goes on where it was (default: a fifth of what is free).",
      valueName: "size"))
  var digests: DigestSize?

  @Flag(
    help:
      "Run also where nothing is new; without it a run that would make the outputs in place does nothing."
  )
  var force = false

  @Flag(help: "Print one JSON object with the result as the last line on stdout.")
  var json = false

  @Flag(help: "Print nothing when all is well.")
  var quiet = false

  func validate() throws {
    if let workers, !(1...1024).contains(workers) {
      throw ValidationError("--workers wants 1 to 1024")
    }
    guard (1...65_536).contains(batchKib) else {
      throw ValidationError("--batch-kib wants 1 to 65536")
    }
    _ = try shares()
    if let out, out.utf8.isEmpty { throw ValidationError("--out wants a directory") }
    guard (0...100).contains(retries) else { throw ValidationError("--retries wants 0 to 100") }
    guard keep >= 1 else { throw ValidationError("--keep wants 1 or more") }
  }

  /// - Throws: `ValidationError` where the memory is not enough for one worker.
  private func shares() throws -> MemoryShares {
    let workers = workers ?? max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
    do throws(MemoryTooSmall) {
      return try MemoryShares(
        limit: memory?.bytes ?? MemoryShares.defaultLimit, workers: workers,
        batchBytes: batchKib * 1024)
    } catch {
      throw ValidationError(
        "--memory wants at least \(MemoryShares.text(error.smallest)) here: less is not enough for one worker"
      )
    }
  }

  /// The options of one run of a spec, without those who are told of it.
  func options(spec: String) throws -> RunOptions {
    let shares = try shares()
    var options = RunOptions(
      workers: shares.workers, workspace: Workspace.find(given: workspace, spec: spec))
    options.memory = shares
    options.batchBytes = batchKib * 1024
    options.outDirectory = out
    options.keep = keep
    options.retries.limit = retries
    options.digestBytes = digests?.bytes
    options.isForced = force
    return options
  }
}
