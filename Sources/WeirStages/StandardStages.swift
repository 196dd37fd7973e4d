import WeirEngine

extension StageRegistry {
  /// Every stage that Weir ships, in the order that `weir stages` lists them.
  public static let standard = StageRegistry([
    JSONLSource.self,
    Normalize.self,
    Filter.self,
    Derive.self,
    Select.self,
    Rename.self,
    Drop.self,
    Sample.self,
    Split.self,
    Redact.self,
    Expect.self,
    Union.self,
    Lookup.self,
    Dedupe.self,
    Aggregate.self,
    Trend.self,
    Correlate.self,
    Compare.self,
    JSONLSink.self,
    CSVSink.self,
    ReportSink.self,
  ])
}
