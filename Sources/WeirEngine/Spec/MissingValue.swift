import WeirData

extension Problems {
  /// Says of keys without a value what the stage takes there. The reader of the text does not know the types.
  mutating func explainMissingValues(_ registry: StageRegistry) {
    change { problem in
      guard same(problem.code, "missing_value"),
        case .key(.key(.key(.root, let name), let stage), let key) = problem.pointer,
        let section = SpecSection(rawValue: name)
      else { return }
      let type = problem.stageType
      let found = registry.manuals.compactMap {
        manual -> (manual: StageManual, option: OptionSpec)? in
        guard manual.kind.section == section, type.map({ same($0, manual.type) }) ?? true else {
          return nil
        }
        return manual.options.first { same($0.name, key) }.map { (manual, $0) }
      }
      // Without a type only what all stages understand alike.
      guard let first = found.first,
        found.allSatisfy({ same($0.option.type.expectation, first.option.type.expectation) })
      else { return }
      problem.expected = first.option.type.expectation
      let sample = first.manual.exampleValue(of: first.option, for: stage)
      problem.fix = "write \(quoted(key)): \(sample) or another value, or remove the key"
    }
  }
}
