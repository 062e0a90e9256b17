/** How the tabs and the worker of one phone tell each other that something in the outbox has changed. */
const channel = typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel('gridgov.field')

export function tell(city: string): void {
  channel?.postMessage({ city })
}

export function hear(city: string, changed: () => void): void {
  channel?.addEventListener('message', e => {
    if ((e.data as { city?: unknown } | null)?.city === city) changed()
  })
}

/** What the worker is woken for. */
export const outboxTag = 'outbox'

/** Asks the system to wake the worker when there is a line, also where the page is closed then. Not all browsers can. */
export function askForSync(): void {
  void navigator.serviceWorker?.ready
    .then(r =>
      (r as ServiceWorkerRegistration & { sync?: { register(tag: string): Promise<void> } }).sync?.register(outboxTag),
    )
    .catch(() => {}) // it is refused in private windows, and where the person has said no
}
