/// <reference lib="webworker" />
import {
  cleanupOutdatedCaches,
  createHandlerBoundToURL,
  type PrecacheEntry,
  precacheAndRoute,
} from 'workbox-precaching'
import { NavigationRoute, registerRoute } from 'workbox-routing'

declare const self: ServiceWorkerGlobalScope & { __WB_MANIFEST: PrecacheEntry[] }

// The page's own files and nothing else: nothing that anybody told, and nothing of the service's answers, is in a cache.
precacheAndRoute(self.__WB_MANIFEST)
cleanupOutdatedCaches()
// With the poster's village behind it, too; another page whose address begins alike is not ours.
registerRoute(new NavigationRoute(createHandlerBoundToURL('./report'), { allowlist: [/^\/[^/]+\/report(\?|$)/] }))

// A new version waits until the page says so: nothing is swapped under somebody who is writing.
self.addEventListener('message', e => {
  if ((e.data as { act?: unknown } | null)?.act === 'take-over') void self.skipWaiting()
})
self.addEventListener('activate', e => e.waitUntil(self.clients.claim()))
