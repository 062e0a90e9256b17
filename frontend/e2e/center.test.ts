import { VectorTile } from '@mapbox/vector-tile'
import { PbfReader } from 'pbf'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { tileAt } from '../src/shared/map/tiles'
import { light } from '../src/shared/theme/tokens'
import { Driver } from './driver'

let d: Driver
// In a grid of Haizhou, and in the sea.
const spot = { lon: 120.668, lat: 30.5226 }
const street = `at=${spot.lon},${spot.lat},16`
const sea = { lon: 120.62, lat: 30.3 }

beforeAll(async () => {
  d = await Driver.start()
})
afterAll(() => d?.stop())

describe('the live map', () => {
  it('shows the city, says that it is a demo, and asks no other host', async () => {
    await d.given.page()
    await d.sees('the legend has numbers', async () => /\d/.test(await d.get.text('legend')))
    await d.sees('the feed is live', async () => (await d.get.text('live')) === '实时')
    expect(await d.get.title()).toContain('海宁')
    expect(await d.get.body()).toContain('演示')
    expect(d.foreign).toEqual([])
    expect(d.complaints).toEqual([])
  })

  it('shows a report that someone files, by itself, in list and numbers', async () => {
    await d.given.page(`/haining?${street}`)
    const before = await d.sees('a total', () => d.get.listTotal())
    await d.sees('the feed is live', async () => (await d.get.text('live')) === '实时')
    const sent = Date.now()
    const num = await d.given.filed('门口停满了车', spot)
    await d.sees('the new row', async () => (await d.get.rows()).includes(num))
    console.info(`a filed report was in the list ${Date.now() - sent} ms after it was sent`)
    await d.sees('the new total', async () => (await d.get.listTotal()) === before + 1)
    await d.sees('it is said', async () => (await d.get.body()).includes('门口停满了车'))
  })

  it('filters by the URL as the API does', async () => {
    await d.given.page('/haining?item=04&kind=problem&from=2026-08-01&to=2026-09-01')
    const want = await d.get.json('/counts?item=04&kind=problem&from=2026-08-01&to=2026-09-01')
    await d.sees('the same total', async () => (await d.get.listTotal()) === want.total)
    expect(want.total).toBeGreaterThan(0)
  })

  it('filters by choosing, puts it into the URL, and Back undoes it', async () => {
    await d.given.page()
    await d.when.choose('item', '11')
    await d.sees('the filter in the URL', async () => (await d.get.query()).get('item') === '11')
    const want = await d.get.json('/counts?item=11')
    await d.sees('its total', async () => (await d.get.listTotal()) === want.total)
    await d.when.back()
    await d.sees('no filter', async () => (await d.get.query()).get('item') === null)
  })

  it('finds words in the list by a key, says where none has them, and filters by what has become of reports', async () => {
    await d.given.page(`/haining?${street}`)
    const num = await d.given.filed('围墙上贴了鸵鸟图样', spot)
    await d.sees('the list', async () => (await d.get.rows()).length > 1)
    await d.when.press('s')
    expect(await d.get.focused()).toBe('words')
    await d.when.type('words', '鸵鸟 围墙')
    await d.sees('the report alone', async () => (await d.get.rows()).join() === String(num))
    expect((await d.get.query()).get('q')).toBe('鸵鸟 围墙')
    await d.when.type('words', '鸵鸟 没有这样的话')
    await d.sees('that none has them', async () => (await d.get.body()).includes('没有含“鸵鸟 没有这样的话”的上报'))
    await d.when.click('words-clear')
    await d.sees('the list again', async () => (await d.get.rows()).length > 1)
    await d.given.page()
    await d.when.click('more')
    await d.when.choose('state', 'closed')
    await d.sees('the filter in the URL', async () => (await d.get.query()).get('state') === 'closed')
    const want = await d.get.json('/counts?state=closed')
    await d.sees('its total', async () => (await d.get.listTotal()) === want.total)
    expect(want.total).toBeGreaterThan(0)
    expect(await d.get.serious()).toEqual([])
  })

  it('takes a time window by brush, by typing and by arrow keys', async () => {
    await d.given.page()
    await d.sees('the histogram', () => d.get.seen('histogram'))
    await d.sees('a total', () => d.get.listTotal())
    await d.when.brush(0.25, 0.5)
    const drawn = await d.sees('a window', async () => {
      const q = await d.get.query()
      return q.get('from') && q.get('to') ? { from: q.get('from')!, to: q.get('to')! } : null
    })
    expect(drawn.from < drawn.to).toBe(true)
    await d.when.type('time-from', '2026-01-01')
    await d.when.type('time-to', '2026-03-31')
    await d.sees('the typed window, its last day included', async () => {
      const q = await d.get.query()
      return q.get('from') === '2026-01-01' && q.get('to') === '2026-04-01'
    })
    await d.when.type('time-from', 'yesterday')
    await d.sees('a word about it', async () => (await d.get.body()).includes('请写成'))
    expect((await d.get.query()).get('from')).toBe('2026-01-01')
    await d.when.press('Escape')
    await d.when.press('t')
    expect(await d.get.focused()).toBe('handle-from')
    await d.when.press('ArrowRight')
    await d.sees('a later start', async () => ((await d.get.query()).get('from') ?? '') > '2026-01-01')
  })

  it('opens a grid by a click on the map and tells of it', async () => {
    await d.given.page(`/haining?${street}&points=off`)
    await d.sees('a name under the pointer', async () => {
      await d.when.pointAtMap() // again and again: before the map is drawn nothing lies under the pointer
      return (await d.get.seen('under')) && (await d.get.text('under')) !== ''
    })
    expect(await d.get.text('coordinates')).toMatch(/^120\.6\d+, 30\.5\d+$/)
    expect(await d.get.text('beidou')).toMatch(/^北斗 N51H/)
    await d.when.clickMap()
    const code = await d.sees('the code', () => d.get.text('area-code'))
    const selected = (await d.get.query()).get('sel')!
    expect(selected.endsWith(`:${code}`)).toBe(true)
    const level = selected.split(':')[0]!
    const want = await d.get.json(`/jurisdictions/${level}/${code}`)
    expect(await d.get.text('area-reports')).toBe(want.reports.toLocaleString('en'))
    await d.when.press('Escape')
    await d.sees('nothing chosen', async () => (await d.get.query()).get('sel') === null)
  })

  it('opens a report and says why it lies where it lies', async () => {
    await d.given.page()
    const num = await d.when.openRow(0)
    await d.sees('the reason', () => d.get.seen('why'))
    expect((await d.get.query()).get('sel')).toBe(`report:${num}`)
    const report = await d.get.json(`/reports/${num}`)
    expect(await d.get.text('report-beidou')).toBe(report.beidou)
    expect(await d.get.text('why')).toContain(report.placement.grid.code)
    expect(await d.get.text('case-unit')).toBe(report.case.unit.name)
    expect(await d.get.text('case-why')).toBe(report.case.why.zh)
  })

  it('files a report by a click, and keeps the text while the line is down', async () => {
    await d.given.page(`/haining?${street}`)
    await d.when.click('file')
    await d.when.clickMap(30, 30)
    await d.sees('the grid, before it is sent', async () => /3304\d{11}/.test(await d.get.text('located')))
    await d.when.fillReport('16', '夜里很吵')
    await d.when.offline(true)
    await d.when.click('send')
    await d.sees('a word about it', async () => (await d.get.text('file-problem')).includes('内容已保留'))
    await d.when.offline(false)
    await d.when.click('send')
    await d.sees('where it went', async () => /编号 \d+/.test(await d.get.text('filed')))
    await d.when.click('open-filed')
    await d.sees('the report', async () => (await d.get.text('report')).includes('夜里很吵'))
  })

  it('files what somebody tells by phone, and keeps them nowhere else', async () => {
    await d.given.page(`/haining?${street}`)
    await d.when.click('file')
    await d.when.clickMap(40, 30)
    await d.sees('the form', () => d.get.seen('file-form'))
    await d.when.fillReport('16', '来电说的')
    expect(await d.get.seen('caller-phone')).toBe(false)
    await d.when.click('caller')
    await d.when.type('caller-name', '赵来电')
    await d.when.type('caller-phone', '打我电话')
    expect(await d.get.serious()).toEqual([])
    await d.when.click('send')
    await d.sees('what is wrong', async () => (await d.get.text('caller-problem')).includes('不是电话号码'))
    expect(await d.get.focused()).toBe('caller-phone')
    await d.when.type('caller-phone', '139 0573 9876')
    expect(await d.get.stored()).not.toMatch(/赵来电|9876/)
    await d.when.click('send')
    const num = Number(
      await d.sees('that it was received', async () => /编号 (\d+)/.exec(await d.get.text('filed'))?.[1]),
    )
    await d.when.click('open-filed')
    await d.sees('the masked caller', async () => (await d.get.text('reporter')).includes('赵**'))
    expect((await d.get.json(`/reports/${num}`)).source).toBe('hotline')
    expect(await d.get.stored()).not.toMatch(/赵来电|9876/)
    await d.when.click('file')
    await d.when.clickMap(50, 30)
    await d.sees('an empty form', () => d.get.seen('file-form'))
    expect(await d.get.seen('caller-phone')).toBe(false)
    await d.when.click('caller')
    expect(await d.get.value('caller-phone')).toBe('')

    await d.given.page('/haining', { as: 'grid_worker' })
    await d.when.click('file')
    await d.when.press('Enter')
    await d.sees('the form', () => d.get.seen('file-form'))
    expect(await d.get.seen('caller')).toBe(false)
  })

  it('lists what is unplaced and lets it be set on the map', async () => {
    const num = await d.given.filed('没有坐标的一条')
    await d.given.page(`/haining?${street}&list=unplaced`)
    await d.sees('its row', async () => (await d.get.rows()).includes(num))
    await d.when.openReport(num)
    await d.when.click('set-position')
    await d.when.press('Enter')
    await d.sees('the grid', async () => /3304\d{11}/.test(await d.get.text('located')))
    await d.when.type('position-reason', '电话问过')
    await d.when.click('confirm-position')
    await d.sees('it left the list', async () => !(await d.get.rows()).includes(num))
    const report = await d.get.json(`/reports/${num}`)
    expect(report.placement.method).toBe('manual')
    expect(report.lon).toBeCloseTo(spot.lon, 2)
    expect(d.positions.at(-1)?.reason).toBe('电话问过')
  })

  it('goes near when a position is to be corrected', async () => {
    await d.given.page()
    await d.when.openRow(0)
    await d.sees('the report', () => d.get.seen('report'))
    const [lon, lat] = (await d.get.text('report-coordinates')).split(', ').map(Number)
    await d.when.click('set-position')
    await d.sees('the map is there', async () => {
      const at = (await d.get.query()).get('at')?.split(',').map(Number)
      return at?.[2] === 16 && Math.abs(at[0]! - lon!) < 0.01 && Math.abs(at[1]! - lat!) < 0.01
    })
    await d.when.press('Enter')
    await d.sees('where it would lie', async () => /3304\d{11}/.test(await d.get.text('located')))
  })

  it('shows who told a report masked, in full for a reason, and hides it again', async () => {
    const person = { name: '王小明', phone: '138 0573 1234', email: 'xiaoming@example.com' }
    const num = await d.given.filed('窨井盖不见了', spot, person)
    await d.given.page(`/haining?${street}&sel=report:${num}`)
    await d.sees('the masked name', async () => (await d.get.text('reporter')).includes('王**'))
    expect(await d.get.body()).not.toMatch(/王小明|0573|xiaoming/)
    await d.when.click('unmask')
    expect(await d.get.focused()).toBe('unmask-reason')
    await d.when.press('Enter')
    await d.sees('a word about it', async () => (await d.get.text('unmask-problem')).includes('请写明理由'))
    await d.when.type('unmask-reason', '地点不清，要回电话')
    expect(await d.get.serious()).toEqual([])
    await d.when.press('Enter')
    await d.sees('the name', async () => (await d.get.text('reporter-full')).includes('王小明'))
    expect(await d.get.attribute('reporter-phone', 'href')).toMatch(/^tel:(\+86)?13805731234$/)
    expect(await d.get.attribute('reporter-email', 'href')).toBe('mailto:xiaoming@example.com')
    expect(await d.get.serious()).toEqual([])
    await d.when.press('Escape')
    await d.sees('it is hidden', async () => !(await d.get.body()).includes('王小明'))
    expect(await d.get.focused()).toBe('unmask')
    expect((await d.get.query()).get('sel')).toBe(`report:${num}`)
  })

  it('finds places and jurisdictions', async () => {
    await d.given.page()
    await d.when.press('/')
    expect(await d.get.focused()).toBe('search')
    await d.when.type('search', '长安镇')
    await d.sees('the town', async () => (await d.get.text('found')).includes('长安镇'))
    await d.when.press('Enter')
    await d.sees('it is chosen', async () => (await d.get.query()).get('sel') === 'town:330481103')
  })

  it('goes to pasted coordinates, in either order, and to BeiDou codes', async () => {
    await d.given.page()
    await d.when.type('search', '30.5226, 120.668')
    await d.sees('the point', () => d.get.seen('found'))
    await d.when.press('Enter')
    await d.sees('the map is there', async () => (await d.get.query()).get('at')?.startsWith('120.668,30.5226,'))
    const { beidou } = await d.get.json('/locate?lon=120.6812&lat=30.5103')
    await d.when.type('search', beidou)
    await d.sees('the code', async () => (await d.get.text('found')).includes('北斗位置码'))
    await d.when.press('Enter')
    await d.sees('the map is at its cell', async () => (await d.get.query()).get('at')?.startsWith('120.6812,30.5103,'))
    await d.when.type('search', '38.9, -77.03')
    await d.sees('a word about it', async () => (await d.get.text('found')).includes('城市之外'))
  })

  it('keeps the list while one of it is open, and the whole city in what room there is', async () => {
    await d.given.page()
    const total = await d.sees('a total', () => d.get.listTotal())
    const rows = await d.get.rows()
    const num = await d.when.openRow(2)
    await d.sees('the reason', () => d.get.seen('why'))
    await d.sees('it is in the list', async () => (await d.get.rows()).includes(num))
    expect(await d.get.listTotal()).toBe(total)
    expect((await d.get.rows()).slice(0, 5)).toEqual(rows.slice(0, 5))
    await d.when.press('Escape')
    await d.sees('it is closed', async () => !(await d.get.seen('why')))
    expect((await d.get.query()).get('at')).toBeNull()
    expect(await d.get.listTotal()).toBe(total)
  })

  it('goes by keyboard', async () => {
    await d.given.page()
    const [first, second] = await d.get.rows()
    await d.when.press('j')
    await d.when.press('j')
    await d.when.press('k')
    await d.when.press('Enter')
    await d.sees('the first row is open', async () => (await d.get.query()).get('sel') === `report:${first}`)
    await d.when.press('j')
    await d.sees('the next follows', async () => (await d.get.query()).get('sel') === `report:${second}`)
    await d.when.press('Escape')
    await d.sees('it is closed', async () => (await d.get.query()).get('sel') === null)
    await d.when.press('?')
    await d.sees('the keys', async () => (await d.get.body()).includes('列表中下一条、上一条'))
    await d.when.press('Escape')
    await d.when.press('u')
    await d.sees('the unplaced', async () => (await d.get.query()).get('list') === 'unplaced')
  })

  it('changes language and colours', async () => {
    await d.given.page()
    const ground = await d.get.ground()
    await d.when.click('theme')
    await d.sees('other colours', async () => (await d.get.ground()) !== ground)
    await d.when.click('language')
    await d.sees('English', async () => (await d.get.language()) === 'en-GB')
    expect(await d.get.text('live')).toBe('Live')
    expect(await d.get.text('tab-unplaced')).toMatch(/^Unplaced/)
  })

  it.each([
    ['light', 'zh', ''],
    ['dark', 'en', ''],
    ['light', 'en', '?sel=town:330481103&item=04'],
    ['dark', 'zh', '?list=unplaced'],
  ] as const)('has nothing serious for axe: %s %s %s', async (theme, locale, query) => {
    await d.given.page(`/haining${query}`, { theme, locale })
    await d.sees('the legend has numbers', async () => /\d/.test(await d.get.text('legend')))
    expect(await d.get.serious()).toEqual([])
  })

  it('fits a phone, with targets for fingers', async () => {
    await d.given.page('/haining', { size: { width: 390, height: 844 } })
    await d.when.click('tab-list')
    await d.sees('rows', async () => (await d.get.rows()).length > 3)
    expect(await d.get.serious()).toEqual([])
    await d.when.openRow(0)
    await d.sees('the reason', () => d.get.seen('why'))
    await d.when.click('close-detail')
    await d.when.type('search', '长安镇')
    await d.sees('the town', async () => (await d.get.text('found')).includes('长安镇'))
    await d.when.press('Enter')
    await d.sees('its code', () => d.get.seen('area-code'))
    expect(await d.get.serious()).toEqual([])
    await d.when.click('close-detail')
    await d.when.click('tab-time')
    await d.sees('the histogram', () => d.get.seen('histogram'))
    expect(await d.get.small()).toEqual([])
  })

  it('is empty at sea, and says what to do', async () => {
    await d.given.page(`/haining?at=${sea.lon},${sea.lat},15`)
    await d.sees('a word', async () => (await d.get.body()).includes('移动地图、放宽时间或清除筛选'))
    await d.when.click('show-whole')
    await d.sees('reports', async () => (await d.get.rows()).length > 0)
    expect((await d.get.query()).get('at')).toBeNull()
  })

  it('says when the line is down, shows no number of another question, and catches up by itself', async () => {
    await d.given.page()
    await d.sees('the feed is live', async () => (await d.get.text('live')) === '实时')
    await d.when.offline(true)
    await d.sees('it is said', async () => (await d.get.text('live')).startsWith('连接中断'))
    await d.when.choose('kind', 'inquiry')
    await d.sees('the list says so', async () => (await d.get.body()).includes('列表没有载入'))
    await d.when.openRow(0)
    await d.sees('the detail says so', async () => (await d.get.body()).includes('这条上报没有载入'))
    await d.sees('the map says so', () => d.get.seen('map-warning'))
    expect(await d.get.seen('total')).toBe(false)
    await d.when.offline(false)
    await d.sees('the feed is live', async () => (await d.get.text('live')) === '实时')
    const want = await d.get.json('/counts?kind=inquiry')
    await d.sees('the total', async () => (await d.get.listTotal()) === want.total)
    await d.sees('the report', () => d.get.seen('report'))
    await d.sees('the map', async () => !(await d.get.seen('map-warning')))
    await d.sees('the legend has numbers', async () => /\d/.test(await d.get.text('legend')))
  })

  it('asks again for tiles that did not come while the line stood', async () => {
    await d.given.page()
    await d.sees('the legend has numbers', async () => /\d/.test(await d.get.text('legend')))
    await d.when.failTiles()
    await d.when.choose('kind', 'inquiry')
    await d.sees('the map says so', () => d.get.seen('map-warning'))
    await d.when.returnTiles()
    await d.sees('the map', async () => !(await d.get.seen('map-warning')))
  })
})

describe('a basemap', () => {
  const at = `at=${sea.lon},${sea.lat},12&heat=off`

  it('lies under the city, names its publisher, and can be hidden', async () => {
    await d.given.page(`/haining?${at}`)
    await d.sees('water', async () => (await d.get.mapColour()) === light.map.water)
    expect(await d.get.text('basemap-credit')).toBe('© Nobody')
    await d.when.click('layers')
    await d.when.click('layer-basemap')
    await d.sees('no water', async () => (await d.get.mapColour()) === light.map.outside)
    expect((await d.get.query()).get('basemap')).toBe('off')
    expect(await d.get.seen('basemap-credit')).toBe(false)
    expect(d.foreign).toEqual([])
  })

  it('may fail without harm', async () => {
    await d.when.takeBasemap()
    try {
      await d.given.page('/haining')
      await d.sees('a word about it', async () => (await d.get.body()).includes('底图没有载入'))
      await d.sees('the legend has numbers', async () => /\d/.test(await d.get.text('legend')))
    } finally {
      await d.when.returnBasemap()
    }
  })

  it('is asked for again once the line is back', async () => {
    await d.when.takeBasemap()
    try {
      await d.given.page(`/haining?${at}`)
      await d.sees('a word about it', async () => (await d.get.body()).includes('底图没有载入'))
    } finally {
      await d.when.returnBasemap()
    }
    await d.when.offline(true)
    await d.sees('the line is broken', async () => (await d.get.text('live')).startsWith('连接中断'))
    await d.when.offline(false)
    await d.sees('water', async () => (await d.get.mapColour()) === light.map.water)
    await d.sees('no word about it', async () => !(await d.get.body()).includes('底图没有载入'))
  })
})

describe('tiles', () => {
  it('decode, and the heat of a zoom counts each report once', async () => {
    const query = 'item=04&from=2026-06-01&to=2026-07-01'
    const city = await d.get.json('/')
    const [west, south, east, north] = city.bbox as [number, number, number, number]
    const z = 11
    const [a, b] = [tileAt(west - 0.1, north + 0.1, z), tileAt(east + 0.1, south - 0.1, z)]
    let sum = 0
    for (let x = a.x; x <= b.x; x++) {
      for (let y = a.y; y <= b.y; y++) {
        const layer = new VectorTile(new PbfReader(await d.get.tile(`/tiles/heat/${z}/${x}/${y}?${query}`))).layers.heat
        for (let i = 0; i < (layer?.length ?? 0); i++) sum += Number(layer!.feature(i).properties.count)
      }
    }
    const counts = await d.get.json(`/counts?${query}`)
    expect(sum).toBe(counts.total)
    expect(sum).toBeGreaterThan(0)
  })

  it('carry the levels that their zoom shows', async () => {
    const plan = (await d.get.json('/')).plan.version
    const levels = async (z: number) => {
      const t = tileAt(spot.lon, spot.lat, z)
      const tile = new VectorTile(
        new PbfReader(await d.get.tile(`/tiles/jurisdictions/${z}/${t.x}/${t.y}?plan=${plan}`)),
      )
      expect(Object.values(tile.layers).every(l => l.version === 2)).toBe(true)
      return Object.keys(tile.layers)
    }
    expect(await levels(8)).not.toContain('grid')
    expect(await levels(13)).toEqual(expect.arrayContaining(['city', 'town', 'village', 'grid', 'borders']))
  })
})
