/// What the codes of the quarantine mean, and what a person can do about each.
enum RefusalWords {
  static func of(_ code: String) -> (meaning: String, remedy: String) {
    table.first { $0.code.utf8.elementsEqual(code.utf8) }.map { ($0.meaning, $0.remedy) }
      ?? ("Refused by a stage", "See the message in the quarantine file")
  }

  static let table: [(code: String, meaning: String, remedy: String)] = [
    (
      "invalid_json", "The line is not valid JSON",
      "Ask whoever writes the shards; replay them after a fix"
    ),
    (
      "invalid_utf8", "The line has bytes that are not UTF-8",
      "Let the exporter write UTF-8; replay after a fix"
    ),
    (
      "not_an_object", "The line is valid JSON, but no object",
      "Let the exporter write one object a line"
    ),
    (
      "duplicate_key", "A field that is used stands twice in the record",
      "Let the exporter write each key once"
    ),
    (
      "missing_field", "A field that must be there is null or absent",
      "Complete the data, or declare the field with ?"
    ),
    (
      "wrong_type", "A field holds another type than declared",
      "Correct the data, or the type under \"fields\""
    ),
    (
      "number_out_of_range", "A number does not fit the declared type",
      "Declare the field as number or string, or correct the data"
    ),
    (
      "lone_surrogate", "A text has half of a surrogate pair and is no Unicode",
      "Let the exporter cut texts between characters"
    ),
    (
      "bad_timestamp", "A time is not in a form that is known",
      "Write RFC 3339 with a zone, or name the form in normalize"
    ),
    (
      "bad_number", "A text is no number",
      "Correct the data, or leave the field a string"
    ),
    (
      "record_too_long", "The line is longer than the limit",
      "Raise the source's limit if such records are real"
    ),
    (
      "missing_key", "A field of the dedupe key is null or absent",
      "Complete the data, or choose other key fields"
    ),
    (
      "unmapped_value", "A value is in no map",
      "Add it to the map, then run again"
    ),
    (
      "not_in_values", "A value is none of those allowed",
      "Correct the data, or add the value to the list"
    ),
    (
      "expression_error", "An expression has no value for the record",
      "Guard it, for example with x != null, or correct the data"
    ),
    (
      "unmatched_key", "A key is in no row of a lookup table",
      "Add a row to the table, then run again; or choose what \"unmatched\" does"
    ),
    (
      "failed_expectation", "A record does not meet a rule of level fail",
      "Correct the data, or the rule if it asks too much; the expectations say which"
    ),
    (
      "missing_time", "The time of the event is null or absent",
      "Complete the data, or filter such records out"
    ),
    (
      "reserved_value", "A field to group by holds *, which stands for totals",
      "Give the value another name before the trend stage"
    ),
    (
      "bad_path_value", "A value cannot be part of a file name",
      "Correct the data, or take the field out of the path"
    ),
    (
      "not_scalar", "A field holds an object or an array where one value is needed",
      "Use a field inside it, as in model.score"
    ),
  ]
}
