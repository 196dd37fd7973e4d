import WeirEngine

/// The pages that are made from the stage manuals; a test fails when those in `docs/` are stale.
public enum Documentation {
  /// Path below `docs/` and content, in order.
  public static func pages(_ registry: StageRegistry) -> [(path: String, text: String)] {
    registry.types.map { ($0.manual.pagePath, stageMarkdown($0.manual)) }
      + [
        ("schema/pipeline.schema.json", pipelineSchema(registry)),
        ("schema/test.schema.json", testSchema()),
        ("schema/finding.schema.json", findingSchema),
      ]
  }

  /// Writes a page where its content changed.
  public static func save(_ text: String, at path: String) throws {
    try writePage(Array(text.utf8), at: path)
  }
}
