import Glibc
import Synchronization

/// Turns SIGINT and SIGTERM into a call, on a thread of its own; a second one ends the process.
///
/// Must be made before other threads start, so that they all leave the signals to it.
final class SignalWatch: Sendable {
  private let received = Atomic<Int32>(0)
  private let handler: Mutex<(@Sendable () -> Void)?> = Mutex(nil)

  /// The first signal that came, or 0.
  var signal: Int32 { received.load(ordering: .relaxed) }

  init() {
    // A reader that went away and a file over its limit are errors of the call, not ends of the run.
    Glibc.signal(SIGPIPE, SIG_IGN)
    Glibc.signal(SIGXFSZ, SIG_IGN)
    var set = sigset_t()
    sigemptyset(&set)
    sigaddset(&set, SIGINT)
    sigaddset(&set, SIGTERM)
    pthread_sigmask(SIG_BLOCK, &set, nil)
    var thread = pthread_t()
    let box = Unmanaged.passRetained(self)
    pthread_create(
      &thread, nil,
      { argument in
        Unmanaged<SignalWatch>.fromOpaque(argument!).takeRetainedValue().watch()
        return nil
      }, box.toOpaque())
    pthread_detach(thread)
  }

  /// Calls `body` when a signal comes, at once if one has come already.
  func onSignal(_ body: @escaping @Sendable () -> Void) {
    handler.withLock { $0 = body }
    if signal != 0 { body() }
  }

  private func watch() {
    var set = sigset_t()
    sigemptyset(&set)
    sigaddset(&set, SIGINT)
    sigaddset(&set, SIGTERM)
    while true {
      var number: Int32 = 0
      guard sigwait(&set, &number) == 0 else { continue }
      if received.exchange(number, ordering: .relaxed) != 0 { _exit(128 + number) }
      let body = handler.withLock { $0 }
      body?()
    }
  }
}
