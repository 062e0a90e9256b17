import { onScopeDispose } from 'vue'
import { useI18n } from 'vue-i18n'
import { ask } from '../shared/api/client'
import type { Report } from '../shared/api/types'
import { Coalescer } from '../shared/map/coalesce'
import { useFeed } from '../shared/session/feed'
import type { Center } from './center'
import { asksCases, beyondReport, matches } from './view'

/** What of the map the feed moves. */
export interface LiveMap {
  showFresh(reports: readonly { num: number; lon: number; lat: number }[], pulse: boolean): void
  refreshAround(points: readonly { lon: number; lat: number }[]): void
  refreshAll(): void
  /** Asks again also for what did not come. */
  recover(): void
}

/** At most three refreshes a second, however much comes in. */
const refreshMs = 334
/** More new reports than this in one refresh are not looked at one by one. */
const oneByOne = 100

/**
 * Follows the city's feed and brings the page up to date: a report that came in is on the map and in the list at once,
 * the tiles that hold it are asked for again, and the numbers follow a moment later.
 */
export function useFollow(center: Center, map: () => LiveMap | null, reducedMotion: boolean) {
  const { t } = useI18n()
  let arrivedSinceSaid = 0

  const numbers = new Coalescer<void>(1000, () => center.counts.reload())
  const cases = new Coalescer<void>(1000, () => map()?.refreshAll())
  const whole = new Coalescer<void>(2000, () => {
    center.city.reload()
    center.reports.reload()
    center.moved.value++
  })
  const say = new Coalescer<string>(5000, batch => {
    center.say(t('live.arrived', { n: arrivedSinceSaid, latest: batch.at(-1)! }, arrivedSinceSaid))
    arrivedSinceSaid = 0
  })

  const arrivals = new Coalescer<number>(refreshMs, nums => {
    if (nums.length > oneByOne) {
      everythingMoved()
      return
    }
    void show(nums)
  })

  async function show(nums: number[]): Promise<void> {
    const rights = center.dropped.value
    let found: Report[]
    try {
      const query = { id: nums.join(','), limit: Math.min(500, nums.length) }
      found = (await ask(center.client.GET('/reports', { params: { query } }))).reports
    } catch {
      // The reports are stored all the same: the tiles and the list will have them.
      everythingMoved()
      return
    }
    if (rights !== center.dropped.value) return // asked for before the rights changed
    const v = center.view.value
    const { from, to } = center.window.value
    if (beyondReport(v.filters)) {
      everythingMoved()
      return
    }
    const visible = found.filter(r => matches(r, v.filters, from, to))
    const points = visible.flatMap(r =>
      r.lon !== undefined && r.lat !== undefined ? [{ num: r.num, lon: r.lon, lat: r.lat }] : [],
    )
    map()?.showFresh(points, !reducedMotion)
    map()?.refreshAround(points)

    const b = center.bbox.value ? center.box.value : null
    const unplaced = center.list.value === 'unplaced'
    center.reports.insert(
      visible.filter(r => {
        if (unplaced) return r.placement.method === 'unplaced'
        if (!b) return true
        return (
          r.lon !== undefined && r.lat !== undefined && r.lon >= b[0] && r.lon <= b[2] && r.lat >= b[1] && r.lat <= b[3]
        )
      }),
    )
    if (found.some(r => r.placement.method === 'unplaced')) center.city.reload()
    numbers.add(undefined)
    const latest = visible.at(-1)
    if (latest) {
      arrivedSinceSaid += visible.length
      say.add(latest.title || center.itemName(latest.item))
    }
  }

  function everythingMoved(): void {
    map()?.refreshAll()
    numbers.add(undefined)
    whole.add(undefined)
  }

  /** The line stands again: what was asked for while it was broken is asked for again. */
  function recovered(): void {
    map()?.recover()
    center.city.reload()
    center.counts.reload()
    if (center.reports.error.value) center.reports.reload()
    center.revived.value++
  }

  const feed = useFeed(center.session, () => center.can('report.view'), {
    back: recovered,
    event(type, data) {
      switch (type) {
        case 'report.filed':
          arrivals.add((data as { num: number }).num)
          break
        case 'case.changed':
          center.caseChanged.value = { num: (data as { num: number }).num }
          // Where it is asked for what has become of reports, map and list have others now.
          if (center.view.value.cases) cases.add(undefined)
          if (asksCases(center.view.value.filters)) everythingMoved()
          else numbers.add(undefined)
          break
        case 'proposal.changed':
        case 'investigation.changed':
          center.decided.value++
          break
        case 'team.changed':
        case 'patrol.changed':
          break // pages of their own tell of them
        case 'report.imported':
          center.say(t('live.imported', { n: (data as { count: number }).count }, (data as { count: number }).count))
          everythingMoved()
          break
        case 'reset':
          center.say(t('live.reloaded'))
          everythingMoved()
          break
        case 'access':
          // What is no longer allowed goes at once; who is here, and what they may do, follows.
          center.drop()
          break
        default:
          everythingMoved()
      }
    },
  })
  onScopeDispose(() => {
    for (const c of [numbers, cases, whole, say, arrivals]) c.stop()
  })
  return feed
}
