import Testing
import WeirData
import WeirTesting

/// The folder of the repository.
let repository = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
  .joined(separator: "/")

/// Runs a pipeline with numbers of workers and sizes of batches: every file must be the same.
func expectSameBytes(
  _ sizes: [(workers: Int, batchBytes: Int)] = [(1, 1 << 20), (2, 300), (3, 4_000), (8, 1_000)],
  _ run: (_ workers: Int, _ batchBytes: Int) async throws -> PipelineOutcome
) async throws {
  var first: [String: [UInt8]]?
  for (workers, batchBytes) in sizes {
    let made = try await run(workers, batchBytes)
    if let first { #expect(made.everything == first) } else { first = made.everything }
  }
}

/// A pipeline with one jsonl source `s` over `*.jsonl` and the given stages.
func pipeline(
  fields: String, transforms: String = "", sinks: String, source: String = "", more: String = ""
) -> String {
  """
  {
    "name": "test",\(more)
    "sources": {
      "s": { "type": "jsonl", "paths": ["data/*.jsonl"], "fields": \(fields)\(source) }
    },
    "transforms": { \(transforms) },
    "sinks": { \(sinks) }
  }
  """
}

/// A sink that writes the records of `input` as plain JSONL.
func jsonlSink(_ name: String, _ inputs: String..., path: String? = nil) -> String {
  let list = inputs.map { "\"\($0)\"" }.joined(separator: ", ")
  return
    #""\#(name)": { "type": "jsonl", "inputs": [\#(list)], "path": "\#(path ?? "\(name).jsonl")" }"#
}

/// Runs a pipeline over shards in `data/` and holds its records against what is expected.
func run(
  _ spec: String, _ shards: [(path: String, records: [String])], workers: Int = 2,
  batchBytes: Int = 256 * 1024
) async throws -> PipelineOutcome {
  var runner = PipelineRunner(
    spec, shards: shards.map { ("data/" + $0.path, $0.records) })
  runner.workers = workers
  runner.batchBytes = batchBytes
  return try await runner.run()
}
