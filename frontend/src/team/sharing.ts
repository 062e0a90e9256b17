import { onScopeDispose, type Ref, ref, watch } from 'vue'
import { ApiError, ask, done } from '../shared/api/client'
import { type Resource, useResource } from '../shared/api/resource'
import type { useSession } from '../shared/session/session'
import type { MyDuty } from './types'

type Session = ReturnType<typeof useSession>
/** How often a page that is open tells where its reader is. */
const everyMs = 60_000

/** One's own duty: consent, the calendar's address, leave; null for who is in no unit. */
export function useMyDuty(session: Session): Resource<MyDuty> {
  return useResource(
    () => (session.can('duty.own') ? 'duty' : null),
    (_, signal) => ask(session.client.GET('/duty', { signal })),
  )
}

/** Why the position is not told though it may be: the browser was not let, or does not know it. */
export type Trouble = '' | 'denied' | 'failed'

/**
 * Tells where the reader is while the page is open: only with their consent, only on duty, once a minute. The service keeps
 * the last one and refuses what does not fit, whatever this page believes.
 */
export function useSharing(session: Session, duty: Resource<MyDuty>): { trouble: Ref<Trouble> } {
  const trouble = ref<Trouble>('')
  let timer: ReturnType<typeof setInterval> | undefined
  const stop = () => {
    clearInterval(timer)
    timer = undefined
  }
  function tell() {
    navigator.geolocation.getCurrentPosition(
      async at => {
        if (timer === undefined) return
        const body = {
          lon: at.coords.longitude,
          lat: at.coords.latitude,
          accuracy_m: Math.min(100_000, Math.max(0, at.coords.accuracy)),
          at: new Date(at.timestamp).toISOString(),
        }
        try {
          await done(session.client.PUT('/duty/position', { body }))
          trouble.value = ''
          duty.reload()
        } catch (e) {
          if (!(e instanceof ApiError)) throw e
          trouble.value = e.problem.code === 'off_duty' || e.problem.code === 'no_consent' ? '' : 'failed'
          // The duty has ended, or the consent was withdrawn elsewhere.
          if (!e.offline) duty.reload()
        }
      },
      e => {
        trouble.value = e.code === e.PERMISSION_DENIED ? 'denied' : 'failed'
      },
      { enableHighAccuracy: true, timeout: 15_000, maximumAge: 30_000 },
    )
  }
  watch(
    () => Boolean(duty.data.value?.consent && duty.data.value.on_duty),
    shares => {
      stop()
      trouble.value = ''
      if (!shares) return
      if (!('geolocation' in navigator)) {
        trouble.value = 'failed'
        return
      }
      timer = setInterval(tell, everyMs)
      tell()
    },
    { immediate: true },
  )
  // A shift that begins or ends while the page is open.
  const looks = setInterval(duty.reload, 5 * everyMs)
  onScopeDispose(() => {
    stop()
    clearInterval(looks)
  })
  return { trouble }
}
