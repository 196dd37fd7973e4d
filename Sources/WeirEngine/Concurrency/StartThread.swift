import Glibc

/// Starts a thread for `body`, and lets go of `body` when it ends.
///
/// - Parameter thread: becomes the thread, to be detached or joined.
/// - Returns: 0, or the error of the system where no thread was started.
public func startThread(
  _ thread: inout pthread_t, _ body: @escaping @Sendable () -> Void
) -> Int32 {
  let box = Unmanaged.passRetained(ThreadBody(body))
  let result = pthread_create(
    &thread, nil,
    { argument in
      Unmanaged<ThreadBody>.fromOpaque(argument!).takeRetainedValue().body()
      return nil
    }, box.toOpaque())
  if result != 0 { box.release() }
  return result
}

private final class ThreadBody: Sendable {
  let body: @Sendable () -> Void

  init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}
