import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Driver } from './driver'

let d: Driver
beforeAll(async () => {
  d = await Driver.start()
})
afterAll(() => d?.stop())

// The demo's truth: waste is planted about 东山社区 for half a year, until somebody goes there on 13 August 2026, and half of it after.
const window = 'from=2026-07-13&to=2026-08-10'
const committee = { as: 'city_committee' } as const
const open = (more = '') => d.given.visit(`/haining/hotspots?${window}&item=04${more}`, committee)
const places = () => d.get.count('place')
const firstPlace = async () => (await d.get.texts('place'))[0] ?? ''

describe('hot spots', () => {
  it('are where they were planted, and say why', async () => {
    await open()
    await d.sees('how many there are', async () => /[1-9]\d* 个热点/.test(await d.get.text('summary')))
    expect(await d.get.text('summary')).toContain('巡查')
    await d.sees('places', async () => (await places()) > 10)
    await d.when.click('place')
    await d.sees('why', async () => (await d.get.text('why')).includes('为什么是热点'))
    const why = await d.get.text('why')
    expect(why).toContain('东山社区')
    expect(why).toMatch(/共有 \d+ 件，如果各处一样应有/)
    expect(why).toMatch(/\d+ 个邻居/)
    expect(await d.get.seen('series')).toBe(true)
    expect((await d.get.query()).get('open')).toMatch(/^place:330481001/)
    // The map goes there, though what is told of it takes room from the map meanwhile.
    await d.sees('the place on the map', async () => Number((await d.get.query()).get('at')?.split(',')[2]) > 12)
    expect(await d.get.serious()).toEqual([])
    await d.when.press('Escape')
    await d.sees('that it is put away', async () => !(await d.get.seen('why')))
    await d.when.press('j')
    await d.when.press('Enter')
    await d.sees('the place under the keys', () => d.get.seen('why'))
    await d.when.back()
    await d.sees('what was before', async () => !(await d.get.seen('why')))
  })

  it('are drawn as findings, as rates and as heat, each with its legend', async () => {
    await open()
    await d.sees('what the colours mean', async () => (await d.get.text('spot-legend')).includes('误报率'))
    await d.when.click('layer-rate')
    await d.sees('rates', async () => (await d.get.text('spot-legend')).includes('每千户'))
    await d.when.click('layer-heat')
    await d.sees('heat', async () => /带宽 [\d,.]+/.test(await d.get.text('spot-legend')))
    expect((await d.get.query()).get('show')).toBe('heat')
    expect(await d.get.seen('map-trouble')).toBe(false)
  })

  it('follow the window: typed, by steps, and played', async () => {
    await open('&step=week')
    const said = () => d.get.text('window')
    await d.sees('the window', async () => (await said()).replaceAll('\n', ' ').includes('2026-07-13 – 2026-08-09'))
    await d.when.click('step-forward')
    await d.sees('a week later', async () => (await said()).includes('2026-07-20'))
    await d.when.press('ArrowLeft')
    await d.sees('a week back', async () => (await said()).includes('2026-07-13'))
    await d.when.type('time-from', '2026-07-06')
    await d.sees('what was typed', async () => (await d.get.query()).get('from') === '2026-07-06')
    await d.when.click('play')
    await d.sees('that it goes on', async () => (await said()).includes('2026-07-20'))
    await d.when.click('play')
    const stood = await said()
    expect(await d.get.attribute('play', 'aria-pressed')).toBe('false')
    expect(await said()).toBe(stood)
  })

  it('are compared with another time, and month by month', async () => {
    await open()
    await d.sees('the map', async () => (await places()) > 10 && (await d.get.seen('spot-legend')))
    await d.when.press('b')
    await d.sees('both times', async () => (await d.get.text('beside-left')).includes('2026-06-15'))
    expect((await d.get.query()).get('beside')).toBe('2026-06-15')
    await d.sees('the divide', () => d.get.seen('swipe'))
    await d.when.press('b')
    await d.sees('one time alone', async () => !(await d.get.seen('swipe')))
    await d.when.click('months')
    await d.sees('twelve months', async () => (await d.get.count('month-drawn')) === 12)
    await d.when.click('month-10')
    await d.sees('that month', async () => (await d.get.query()).get('from') === '2026-07-01')
    expect((await d.get.query()).get('to')).toBe('2026-08-01')
    await d.when.click('preset-all')
    await d.sees('all the time there is', async () => (await d.get.query()).get('time') === 'all')
    await d.when.press('b')
    await d.sees('the last year and the one before', () => d.get.seen('swipe'))
    const asked = await d.get.query()
    const days = (Date.parse(asked.get('from')!) - Date.parse(asked.get('beside')!)) / 86_400_000
    expect(days).toBeGreaterThan(360)
    expect(days).toBeLessThanOrEqual(366)
    await d.when.back()
    await d.sees('all the time again', async () => !(await d.get.seen('swipe')))
    expect((await d.get.query()).get('time')).toBe('all')
  })

  it('are taken away as table, outlines, picture and on paper', async () => {
    await open()
    await d.sees('places', async () => (await places()) > 10)
    await d.when.click('export')
    const table = await d.when.download('export-csv')
    expect(table.split('\r\n')[0]).toContain('code,name,name_latin,n,found,around,expected,rate,z,p,q,class,trend,few')
    expect(table).toMatch(/330481001\d+,东山社区/)
    await d.when.click('export')
    const shapes = JSON.parse(await d.when.download('export-geojson'))
    expect(shapes.features.length).toBeGreaterThan(1000)
    expect(shapes.features[0].properties.class).toBe('hot')
    await d.when.click('export')
    expect((await d.when.download('export-png')).slice(1, 4)).toBe('PNG')
    const { sheets } = await d.get.print()
    expect(sheets).toBeGreaterThan(0)
  })

  it('are those of one’s own town, on a phone too, in English and in the dark', async () => {
    await d.given.visit(`/haining/hotspots?${window}`, {
      as: 'committee',
      locale: 'en',
      theme: 'dark',
      size: { width: 390, height: 844 },
    })
    await d.sees('the map', () => d.get.seen('spot-legend'))
    await d.when.click('tab-list')
    await d.sees('the places of the town', async () => (await places()) > 10)
    expect(await firstPlace()).not.toMatch(/\p{Script=Han}/u)
    expect(await d.get.text('summary')).toMatch(/across [\d,]+ places \(Grid\)/)
    expect(await d.get.wider()).toBe(0)
    expect(await d.get.serious()).toEqual([])
    await d.when.click('place')
    await d.sees('why', () => d.get.seen('why'))
  })

  it('lead one planted matter from the map to the proposal, the order and what it changed', async () => {
    await open()
    await d.sees('places', async () => (await places()) > 10)
    await d.when.click('place')
    await d.sees('why', async () => (await d.get.text('why')).includes('东山社区'))
    const { proposals } = await d.get.jsonAs('/proposals?state=done&item=04&limit=10')
    const { id, told, order } = proposals[0]
    await d.when.click('show-proposals')
    await d.when.pick('proposal-state', 'done')
    await d.when.click(`proposal-${id}`)
    await d.sees('its evidence', async () => (await d.get.text('proposal-why')).includes(`群众反映 ${told} 件`))
    await d.when.click('to-order')
    await d.sees('the order', async () => (await d.get.text('order-state-is')) === '已排查')
    expect(await d.get.text('order-officers')).toMatch(/证件|DEMO|2199/)
    await d.sees('what it changed', async () => /下降 \d+ % 至 \d+ %/.test(await d.get.text('effect-words')))
    expect(await d.get.text('effect-around')).toContain('周边')
    const { effects } = await d.get.jsonAs(`/investigations/${order}`)
    expect(effects[0].reading).toBe('fell')
    // The truth has a half less within 900 m of its middle.
    expect(effects[0].low).toBeLessThan(0.75)
    expect(await d.get.serious()).toEqual([])
    await d.when.click('show-orders')
    await d.sees('that three are too few for a rate', async () => (await d.get.text('hit-rate')).includes('不足 20 次'))
    expect(d.complaints).toEqual([])
  })
})
