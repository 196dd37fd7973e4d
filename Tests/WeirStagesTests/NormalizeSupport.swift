import Testing
import WeirData
import WeirTesting

@testable import WeirEngine
@testable import WeirStages

/// A sink that a spec may end in.
private struct NullSink: Stage {
  static let manual = StageManual(
    type: "null", kind: .sink, summary: "Takes records.", accepts: [.records],
    example: #"{"type": "null", "inputs": ["a"]}"#)
  init?(_ options: Options, _ problems: inout Problems) {}
}

/// A `normalize` that was bound to a source with `fields`.
struct BoundStage {
  var map: (any BoundMap)?
  var scope: Scope
  /// Of the check and of the binding.
  var problems: [SpecProblem]

  var codes: [String] { problems.map(\.code) }
  func type(of field: String) -> String? { scope.field(FieldPath(text: field)!)?.type.text }
}

/// - Parameters:
///   - steps: JSON of the option `fields`.
///   - fields: JSON of the fields of the source.
///   - directory: where the spec lies.
func bindNormalize(_ steps: String, fields: String, directory: String = "/nowhere") throws
  -> BoundStage
{
  let spec = """
    {
      "name": "test",
      "sources": {"in": {"type": "jsonl", "paths": ["*.jsonl"], "fields": \(fields)}},
      "transforms": {"clean": {"type": "normalize", "inputs": ["in"], "fields": \(steps)}},
      "sinks": {"out": {"type": "null", "inputs": ["clean"]}}
    }
    """
  let registry = StageRegistry([JSONLSource.self, Normalize.self, NullSink.self])
  var (checked, problems) = Spec.load(
    Array(spec.utf8), file: directory + "/spec.json", registry: registry, currentDirectory: "/")
  var scope = Scope()
  for (path, type) in plannedFields(fields) { scope.addSource(path, type, inRecord: true) }
  var map: (any BoundMap)?
  if let stage = checked?.stages.first(where: { $0.name == "clean" })?.stage as? Normalize {
    let context = BindContext(
      stageName: "clean", params: ResolvedParams(), baseDirectory: directory,
      files: ReferencedFiles())
    map = stage.bind(&scope, context, &problems)
  }
  #expect((map == nil) == problems.hasErrors)
  return BoundStage(map: map, scope: scope, problems: problems.sorted)
}

/// The fields of a source in the order in which they are written.
func plannedFields(_ fields: String) -> [(FieldPath, FieldType)] {
  var problems = Problems()
  let source = SpecSource(name: "fields", bytes: Array(fields.utf8))
  let members = SpecJSON.parse(source, problems: &problems)?.object ?? []
  return members.map { (FieldPath(text: $0.key)!, FieldType(text: $0.value.string!)!) }
}

/// What became of the lines: the JSON of every field of a record, or the refusal.
struct Normalized: Equatable {
  var rows: [String] = []
  var refusals: [String] = []
  var messages: [String] = []
}

private struct CodeOfSpace: Hashable {
  var space: UInt32
  var code: UInt16
}

/// Runs JSON lines through a stage in batches of `batchLines` lines, with one worker.
func normalize(
  _ lines: [String], _ stage: BoundStage, fields: String, batchLines: Int = 1_000,
  coder: CodedColumns? = nil
) throws -> Normalized {
  let worker = try #require(stage.map).makeWorker()
  let scanner = RecordScanner(
    fields: plannedFields(fields).map { PlannedField(path: $0.0, type: $0.1) })
  var result = Normalized()
  var addresses: [CodeOfSpace: UInt64] = [:]
  var first = 0
  while first < lines.count {
    let part = lines[first..<min(lines.count, first + batchLines)]
    var text: [UInt8] = []
    var places: [BatchLine] = []
    for (i, line) in part.enumerated() {
      places.append(
        BatchLine(
          start: UInt32(text.count), length: UInt32(line.utf8.count),
          number: UInt32(first + i + 1)))
      text += Array(line.utf8) + [0x0A]
    }
    var batch = Batch(
      bytes: Bytes(text), lines: places, columnCount: stage.scope.columnCount)
    var bad: [LineRefusal] = []
    var selection = scanner.scan(&batch, refusals: &bad)
    #expect(bad.isEmpty, "\(bad)")
    coder?.encode(batch, columns: plannedFields(fields).indices)
    let count = selection.count
    var refusals: [Refusal] = []
    let filtered = worker.apply(&batch, &selection, &refusals)
    #expect(filtered == 0 && selection.count + refusals.count == count)
    for row in selection.rows.map(Int.init) {
      let values = stage.scope.fields.map { field in
        let cell = batch.column(field.column)[row]
        if cell.code > 0 {
          let codes = batch.codes(ofColumn: field.column)
          let key = CodeOfSpace(space: codes.space, code: cell.code)
          #expect(codes.space > 0 && cell.code <= codes.largest && cell.kind == .string)
          #expect(addresses[key, default: cell.bits] == cell.bits)
          addresses[key] = cell.bits
        }
        return cell.kind == .missing ? "-" : cell.jsonValue.text
      }
      result.rows.append("\(batch.lines[row].number): \(values.joined(separator: " "))")
    }
    for refusal in refusals.sorted(by: { $0.line < $1.line }) {
      result.refusals.append("\(refusal.line): \(refusal.code) \(refusal.field ?? "")")
      result.messages.append(refusal.message)
    }
    first += batchLines
  }
  return result
}
