import { onBeforeUnmount, onMounted, watch } from 'vue'
import type { SessionStore } from './session'

/** A page that comes back into view after this long asks who is here. */
const awayMs = 30_000
/** The longest time that a timer can wait for. */
const longestMs = 2 ** 31 - 1

/**
 * Keeps the session true: when a post ends, when the page is seen again, when the browser brings it back from its memory,
 * and when another tab signed in or out.
 */
export function useWatch(session: SessionStore): void {
  let hiddenAt = 0
  let ends: ReturnType<typeof setTimeout> | undefined
  let others: BroadcastChannel | undefined

  const ask = () => void session.check()
  function seen() {
    if (document.hidden) hiddenAt = Date.now()
    else if (Date.now() - hiddenAt > awayMs) ask()
  }
  function returned(e: PageTransitionEvent) {
    if (e.persisted) ask()
  }

  watch(
    session.state,
    state => {
      clearTimeout(ends)
      const next = Math.min(...(state?.posts ?? []).flatMap(p => (p.until ? [Date.parse(p.until)] : [])))
      const wait = next - Date.now() + 500
      if (wait > 0 && wait < longestMs) ends = setTimeout(ask, wait)
    },
    { immediate: true },
  )
  watch(session.reader, () => others?.postMessage(session.signedIn.value))

  onMounted(() => {
    if ('BroadcastChannel' in window) {
      others = new BroadcastChannel(`gridgov.session.${session.code}`)
      others.onmessage = ask
    }
    document.addEventListener('visibilitychange', seen)
    window.addEventListener('pageshow', returned)
  })
  onBeforeUnmount(() => {
    clearTimeout(ends)
    others?.close()
    document.removeEventListener('visibilitychange', seen)
    window.removeEventListener('pageshow', returned)
  })
}
