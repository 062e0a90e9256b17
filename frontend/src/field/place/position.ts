import { onScopeDispose, ref, shallowRef } from 'vue'

export interface Fix {
  lon: number
  lat: number
  accuracyM: number
  /** When the phone was there, in ms. */
  at: number
}

export type Trouble = '' | 'denied' | 'failed'

/** Good enough: a grid is hundreds of metres wide, and the battery is not for the rest. */
const goodM = 12
/** And not looked for longer than this. */
const longestMs = 30_000

/** The position, watched only while somebody is choosing a place: until it is good, or did not get better for a while. */
export function usePosition() {
  const fix = shallowRef<Fix | null>(null)
  const trouble = ref<Trouble>('')
  const looking = ref(false)
  let watching: number | null = null
  let end: ReturnType<typeof setTimeout> | undefined

  function stop(): void {
    if (watching !== null) navigator.geolocation.clearWatch(watching)
    watching = null
    looking.value = false
    clearTimeout(end)
  }

  function look(): void {
    stop()
    trouble.value = ''
    fix.value = null
    if (!('geolocation' in navigator)) {
      trouble.value = 'failed'
      return
    }
    looking.value = true
    end = setTimeout(() => {
      if (!fix.value) trouble.value = 'failed'
      stop()
    }, longestMs)
    watching = navigator.geolocation.watchPosition(
      p => {
        const { longitude: lon, latitude: lat, accuracy } = p.coords
        const next = { lon, lat, accuracyM: Math.max(0, accuracy), at: p.timestamp }
        if (!fix.value || next.accuracyM <= fix.value.accuracyM) fix.value = next
        if (next.accuracyM <= goodM) stop()
      },
      e => {
        // One failure among others is nothing, as long as a position is there.
        if (e.code !== e.PERMISSION_DENIED && fix.value) return
        trouble.value = e.code === e.PERMISSION_DENIED ? 'denied' : 'failed'
        if (e.code === e.PERMISSION_DENIED) stop()
      },
      { enableHighAccuracy: true, maximumAge: 10_000, timeout: longestMs },
    )
  }
  onScopeDispose(stop)
  return { fix, trouble, looking, look, stop }
}
