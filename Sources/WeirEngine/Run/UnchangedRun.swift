import Glibc
import WeirData

/// Looks whether the outputs in place are those that a run would make: of the same plan, parameters
/// and input bytes. Then there is nothing to do.
struct UnchangedRun {
  let plan: Plan
  let states: [ShardState]
  let output: OutputDirectory
  let store: TaskStore?

  /// What the run came to that made the outputs in place; `nil` where this one would make others, or
  /// they are not as they were made. Blocks.
  func find() throws -> OutputManifest? {
    let path = joinPath(output.path, OutputDirectory.manifestName)
    guard let manifest = try OutputManifest.read(path),
      manifest.planHash == hexText(plan.hash), try isSameInput(manifest),
      manifest.runKey == plan.runKey(states)
    else { return nil }
    for file in manifest.outputs {
      var status = stat()
      guard lstat(joinPath(output.path, file.path), &status) == 0,
        Int(status.st_size) == file.bytes
      else { return nil }
    }
    return manifest
  }

  /// Whether the shards are those of the manifest. Their sizes are looked at before their contents.
  private func isSameInput(_ manifest: OutputManifest) throws -> Bool {
    let inputs = manifest.inputs
    guard inputs.count == states.count else { return false }
    for (state, input) in zip(states, inputs) {
      let source = plan.stage(plan.lanes[state.lane].stage).name
      guard input.id == OutputManifest.id(source, state.shard.name),
        input.bytes == state.shard.size
      else { return false }
    }
    for (state, input) in zip(states, inputs) {
      try Task.checkCancellation()
      do {
        if let store { try state.recallContent(store.contents) }
        if state.contentHash == nil { try state.readContent() }
      } catch is ShardError {
        // The run meets it again, and knows what to do.
        return false
      }
      // A shard that could not be read has none.
      guard let content = state.contentHash, input.content == content.hex else { return false }
    }
    return true
  }
}
