import { computed, onBeforeUnmount, onMounted, onScopeDispose, type Ref, ref, shallowRef, watch } from 'vue'
import { usePrefs } from '../prefs'
import { useCode } from '../ui/lazy'
import type { CityMap, Listener } from './citymap'
import type { Box, CityTiles, MapView } from './geo'
import type { Hit } from './hit'
import { scaleLength } from './scale'
import type { Look } from './style'

/** What a map beside other things is made of; what it shows follows the functions. */
export interface MapPlan {
  look: () => Look
  tiles: () => CityTiles
  /** What a screen reader calls it. */
  label: () => string
  /** Asked once, when the map is made. */
  begin: () => { basemap: string | null; view: MapView | null; bounds: Box; frame: Box; bare?: boolean }
  ready?: (map: CityMap) => void
  clicked?: (hit: Hit) => void
  hovered?: Listener['hovered']
  /** While the view moves, and when it came to rest. */
  moving?: () => void
  moved?: Listener['moved']
  loading?: Listener['loading']
  refused?: () => void
}

/** On paper a map has the room and the colours that it has there. The sheet is taken right after: there is no next frame. */
export function usePaper(map: Readonly<Ref<CityMap | undefined>>, look: () => Look) {
  watch(
    usePrefs().printing,
    () => {
      map.value?.setLook(look())
      map.value?.drawNow()
    },
    { flush: 'sync' },
  )
  // By now what is around the map is as on paper, or as on the screen again.
  const paper = matchMedia('print')
  const refit = () => map.value?.putOnPaper(paper.matches)
  paper.addEventListener('change', refit)
  onScopeDispose(() => paper.removeEventListener('change', refit))
}

/**
 * A map in a container, from when it is there until it goes, with what each map has to say: that its code did not come, that
 * it cannot be drawn (no WebGL), that tiles failed, the basemap's credit, and the scale. On paper it is light, whatever the
 * screen is.
 */
export function useCityMap(container: Ref<HTMLElement | undefined>, plan: MapPlan) {
  const map = shallowRef<CityMap>()
  const failed = ref(false)
  const unsupported = ref(false)
  const credit = ref('')
  const metresPerPixel = ref(1)
  let observer: ResizeObserver | undefined
  const { code, lost, ask } = useCode(() => import('./citymap'))
  onMounted(async () => {
    const { CityMap } = await code()
    if (!container.value) return
    try {
      const reducedMotion = matchMedia('(prefers-reduced-motion: reduce)').matches
      const first = { look: plan.look(), tiles: plan.tiles(), label: plan.label(), reducedMotion, ...plan.begin() }
      map.value = new CityMap(container.value, first, {
        moved: (...a) => plan.moved?.(...a),
        clicked: hit => plan.clicked?.(hit),
        hovered: hit => plan.hovered?.(hit),
        breaks: () => {},
        scaled: m => {
          metresPerPixel.value = m
          plan.moving?.()
        },
        loading: busy => plan.loading?.(busy),
        failed: f => {
          failed.value = f
        },
        refused: () => plan.refused?.(),
        credited: c => {
          credit.value = c
        },
        basemapFailed: () => {},
      })
    } catch {
      unsupported.value = true
      return
    }
    plan.ready?.(map.value)
    observer = new ResizeObserver(() => map.value?.resize())
    observer.observe(container.value)
  })
  usePaper(map, plan.look)
  onBeforeUnmount(() => {
    observer?.disconnect()
    map.value?.remove()
  })
  watch(plan.look, next => map.value?.setLook(next))
  watch(plan.tiles, next => map.value?.setTiles(next))
  watch(plan.label, next => map.value?.setLabel(next))
  /** A round length on the ground, and how wide it is. */
  const scale = computed(() => {
    const metres = scaleLength(metresPerPixel.value, 80)
    return { metres, px: metres / metresPerPixel.value }
  })
  return { map, failed, unsupported, credit, scale, lost, ask }
}
