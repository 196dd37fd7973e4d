import WeirData

extension SpecFieldPath {
  public var fieldPath: FieldPath { FieldPath(components: names.map { Array($0.utf8) }) }
}

extension SpecFieldType {
  public var fieldType: FieldType {
    FieldType(FieldType.Base(rawValue: base.rawValue) ?? .any, nullable: isOptional)
  }
}
