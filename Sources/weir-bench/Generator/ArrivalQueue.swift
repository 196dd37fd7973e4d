/// A line that is still to come: a record sent again or a revision of it.
struct Arrival {
  /// Milliseconds from the midnight before the first day.
  var at: Int
  var decision: Decision
  var revision: Int

  /// By time, then by record: a total order, as a record has one arrival only.
  func comes(before other: Arrival) -> Bool {
    at != other.at ? at < other.at : decision.ordinal < other.decision.ordinal
  }
}

/// Arrivals by time, the next one first: a binary heap.
struct ArrivalQueue {
  private var heap: [Arrival] = []

  var next: Arrival? { heap.first }

  mutating func push(_ arrival: Arrival) {
    heap.append(arrival)
    var place = heap.count - 1
    while place > 0 {
      let parent = (place - 1) / 2
      guard heap[place].comes(before: heap[parent]) else { break }
      heap.swapAt(place, parent)
      place = parent
    }
  }

  mutating func pop() -> Arrival? {
    guard let first = heap.first, let last = heap.popLast() else { return nil }
    guard !heap.isEmpty else { return first }
    heap[0] = last
    var place = 0
    while true {
      var least = place
      for child in (2 * place + 1)...(2 * place + 2)
      where child < heap.count && heap[child].comes(before: heap[least]) {
        least = child
      }
      guard least != place else { return first }
      heap.swapAt(place, least)
      place = least
    }
  }
}
