import { describe, expect, it } from 'vitest'
import { everything, type Filters, filterParams, formatView, matches, parseView, type View } from './view'

const usual: View = {
  at: null,
  filters: everything,
  selected: null,
  list: null,
  heat: 'count',
  points: true,
  cases: false,
  borders: true,
  basemap: true,
  near: false,
  more: {},
}

const read = (search: string) => parseView(Object.fromEntries(new URLSearchParams(search)))
const write = (view: View) => new URLSearchParams(formatView(view) as Record<string, string>).toString()

describe('a view in the URL', () => {
  it('is empty when nothing is out of the ordinary', () => {
    expect(read('')).toEqual(usual)
    expect(write(usual)).toBe('')
  })

  it.each<Partial<View>>([
    { at: { lon: 120.68124, lat: 30.51032, zoom: 13.25 } },
    {
      filters: {
        ...everything,
        items: ['04', '11'],
        kinds: ['problem', 'none'],
        sources: ['phone'],
        from: '2026-10-01',
      },
    },
    {
      filters: {
        ...everything,
        aspects: ['a', 'b'],
        states: ['reported', 'closed'],
        settled: ['committee', 'none'],
        teams: ['12', '3'],
        words: '小广告 a&b=c',
      },
    },
    { filters: { ...everything, from: '2026-10-01T01:00:00Z', to: '2026-11-01' } },
    { selected: { type: 'report', num: 120000 } },
    { selected: { type: 'area', level: 'grid', code: '330481103200004' } },
    { selected: { type: 'area', level: 'grid', code: 'a:b' } },
    { list: 'unplaced', heat: 'density', points: false, cases: true, borders: false, basemap: false, near: true },
    { heat: 'off' },
  ])('comes back as it was: %j', change => {
    const view = { ...usual, ...change }
    expect(read(write(view))).toEqual(view)
  })

  it.each([
    'at=1,2',
    'at=,,',
    'at=200,10,3',
    'at=NaN,1,1',
    'kind=whatever',
    'source=fax,',
    'item=,,',
    'state=done',
    'settled_by=me,',
    'team=0,-1,x,1.5',
    'q=%20',
    'aspect=,',
    'from=yesterday',
    'to=2026-99-99',
    'sel=report:x',
    'sel=report:-1',
    'sel=galaxy:1',
    'sel=grid:',
    'list=all',
    'heat=hot',
    'unknown=1',
  ])('leaves out what cannot be read: %s', search => {
    expect(read(search)).toEqual(usual)
  })

  it('keeps what can be read beside what cannot', () => {
    expect(read('kind=problem,nonsense&item=04,04').filters).toEqual({
      ...everything,
      kinds: ['problem'],
      items: ['04'],
    })
  })
})

describe('filters', () => {
  const f: Filters = { ...everything, items: ['04'], kinds: ['none'], sources: [], from: '2026-10-01', to: null }
  const report = { item: '04', source: 'web', captured_at: '2026-10-01T00:00:00+08:00' } as const
  const from = Date.parse('2026-10-01T00:00:00+08:00') / 1000

  it('are the parameters of the API', () => {
    expect(filterParams(f)).toEqual({ item: '04', kind: 'none', from: '2026-10-01' })
    expect(filterParams(everything)).toEqual({})
  })

  it('take in their beginning and leave out their end', () => {
    expect(matches(report, f, from, null)).toBe(true)
    expect(matches(report, f, from + 1, null)).toBe(false)
    expect(matches(report, f, null, from)).toBe(false)
    expect(matches(report, f, null, from + 1)).toBe(true)
  })

  it('ask each field for itself', () => {
    expect(matches({ ...report, item: '05' }, f, from, null)).toBe(false)
    expect(matches({ ...report, kind: 'problem' }, f, from, null)).toBe(false)
    expect(matches(report, { ...f, sources: ['phone'] }, from, null)).toBe(false)
    expect(matches(report, everything, null, null)).toBe(true)
  })
})
