import WeirEngine

extension RecordForm {
  /// Records as `jsonl` reads and writes them.
  public static let lines = RecordForm(.standard, type: "jsonl")
}
