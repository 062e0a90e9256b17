/// <reference lib="webworker" />
import {
  cleanupOutdatedCaches,
  createHandlerBoundToURL,
  type PrecacheEntry,
  precacheAndRoute,
} from 'workbox-precaching'
import { NavigationRoute, registerRoute } from 'workbox-routing'
import { alone, drain } from '../outbox/sender'
import { openStore } from '../outbox/store'
import { outboxTag, tell } from '../signals'

declare const self: ServiceWorkerGlobalScope & { __WB_MANIFEST: PrecacheEntry[] }

// The app's files, as they were when this was built: it opens without a line, and always with parts that fit each other.
precacheAndRoute(self.__WB_MANIFEST)
cleanupOutdatedCaches()
registerRoute(new NavigationRoute(createHandlerBoundToURL('./')))

// A new version waits until the page says so: nothing is swapped under somebody who is writing.
self.addEventListener('message', e => {
  if ((e.data as { act?: unknown } | null)?.act === 'take-over') void self.skipWaiting()
})
self.addEventListener('activate', e => e.waitUntil(self.clients.claim()))

const city = new URL(self.registration.scope).pathname.split('/')[1]!

/** Whose outbox it is, is told by the names of what is kept here: who signed out with something left is found too, and not sent for. */
async function people(): Promise<string[]> {
  const prefix = `gridgov.field.${city}.`
  return (await indexedDB.databases()).flatMap(d => (d.name?.startsWith(prefix) ? [d.name.slice(prefix.length)] : []))
}

async function sendAll(): Promise<void> {
  const wire = {
    fetch: (url: string, init: RequestInit) => fetch(url, init),
    now: () => Date.now(),
    api: `/${city}/v1`,
  }
  let left = false
  for (const person of await people()) {
    const store = await openStore(city, person)
    try {
      const result = await alone(store, () => drain(store, wire, () => tell(city)))
      left ||= result?.halt === 'line' || result?.halt === 'later'
    } finally {
      store.close()
    }
  }
  // The system tries again later, ever more rarely.
  if (left) throw new Error('not all was sent')
}

self.addEventListener('sync', e => {
  const event = e as ExtendableEvent & { tag: string }
  if (event.tag === outboxTag) event.waitUntil(sendAll())
})

/** What our service pushes (docs/field.md, "Notices on the phone"). */
interface Pushed {
  title?: string
  body?: string
  tag?: string
  case?: string
  language?: string
  urgent?: boolean
}

self.addEventListener('push', e => {
  let told: Pushed = {}
  try {
    told = (e.data?.json() ?? {}) as Pushed
  } catch {
    // Something has to be shown for each message; that there is a notice is what is known of it.
  }
  const { title = city, body = '', tag = 'gridgov', language = 'zh', urgent = false } = told
  const shown = {
    body,
    tag,
    lang: language,
    icon: '/assets/icon-any-192.png',
    requireInteraction: urgent,
    data: { case: told.case },
  }
  e.waitUntil(self.registration.showNotification(title, shown))
})

self.addEventListener('notificationclick', e => {
  e.notification.close()
  const ref = (e.notification.data as { case?: unknown } | null)?.case
  const hash = typeof ref === 'string' && /^\d{1,12}(-\d{1,3})?$/.test(ref) ? `#/tasks/${ref}` : '#/tasks'
  e.waitUntil(
    (async () => {
      const open = (await self.clients.matchAll({ type: 'window' })).find(c =>
        c.url.startsWith(self.registration.scope),
      )
      if (!open) return self.clients.openWindow(self.registration.scope + hash)
      await open.navigate(self.registration.scope + hash)
      return open.focus()
    })(),
  )
})
