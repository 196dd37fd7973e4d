/// Seconds that clocks in a zone are ahead of UTC.
///
/// - Parameters:
///   - name: `UTC`, an offset such as `+05:30`, or a name of the tz database.
///   - seconds: since 1970.
/// - Returns: `nil` where there is no such zone.
public func zoneOffset(named name: String, at seconds: Int64) -> Int64? {
  Zone.named(Array(name.utf8))?.offset(at: seconds)
}
