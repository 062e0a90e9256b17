import { onScopeDispose, ref, watch } from 'vue'
import { Live, type LiveListener, type LiveState } from '../api/live'
import { useBell } from './bell'
import type { SessionStore } from './session'

/**
 * A page's line to the city's feed while `listens` says so. It rings the bell, asks who is here where that may have changed, and
 * lets go of the line while the network is gone, which an open one does not notice by itself.
 */
export function useFeed(
  session: SessionStore,
  listens: () => boolean,
  on: Pick<LiveListener, 'event'> & {
    /** The line stands again: what was asked for while it was broken may be asked for again. */
    back: () => void
  },
) {
  const bell = useBell()
  const state = ref<LiveState>('connecting')
  /** When the line broke, in unix seconds; null while it stands. */
  const brokenAt = ref<number | null>(null)
  const live = new Live(`/${session.code}/v1/events`, {
    state(next) {
      const back = next === 'live' && state.value === 'reconnecting'
      state.value = next
      // The service ends the line of who may no longer listen.
      if (next === 'reconnecting') void session.check()
      if (next === 'live') brokenAt.value = null
      else brokenAt.value ??= Math.floor(Date.now() / 1000)
      if (back) on.back()
    },
    event(type, data) {
      if (type === 'notice.made' || type === 'reset') bell.ring()
      if (type === 'notice.made') return
      on.event(type, data)
      if (type === 'access') void session.check()
    },
  })
  watch(listens, may => (may ? live.start() : live.stop()), { immediate: true })
  const away = () => {
    if (listens()) live.suspend()
  }
  const home = () => {
    if (listens()) live.start()
  }
  window.addEventListener('offline', away)
  window.addEventListener('online', home)
  onScopeDispose(() => {
    window.removeEventListener('offline', away)
    window.removeEventListener('online', home)
    live.stop()
  })
  return { state, brokenAt }
}
