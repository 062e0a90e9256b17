import { describe, expect, it } from 'vitest'
import {
  apart,
  below,
  changeOf,
  classOf,
  coverOf,
  type Draft,
  differs,
  draftOf,
  formatAsked,
  gapsOf,
  type PatrolCoverage,
  type PatrolGrid,
  type PatrolPoint,
  parseAsked,
  pointsOf,
  wellSeen,
  windowOf,
  wrong,
} from './patrols'

const ref = (level: 'town' | 'village' | 'grid', code: string) => ({ level, code, name: `名${code}` })
const point = (id: number, part: Partial<PatrolPoint> = {}): PatrolPoint => ({
  id,
  name: `点${id}`,
  lon: 120,
  lat: 30,
  rhythm_days: 7,
  version: 1,
  made_at: '2026-11-01T00:00:00Z',
  changed_at: '2026-11-01T00:00:00Z',
  state: 'ok',
  due: '2026-12-01',
  overdue_days: 0,
  may: [],
  grid: ref('grid', 'A1'),
  village: ref('village', 'A'),
  town: ref('town', 'T'),
  ...part,
})
const grid = (code: string, state: PatrolGrid['state'], part: Partial<PatrolGrid> = {}): PatrolGrid => ({
  grid: ref('grid', code),
  village: code[0]!,
  town: 'T',
  state,
  points: state === 'no_point' ? 0 : 1,
  visits: state === 'visited' ? 1 : 0,
  may_set: true,
  ...part,
})
const ids = (list: { id: number }[]) => list.map(p => p.id)

describe('the address', () => {
  it('says what is asked, and is short where it is as usual', () => {
    expect(formatAsked(parseAsked({}))).toEqual({})
    const more = { tab: 'gaps', of: 'overdue,never', time: '90', open: 'grid:33:01' }
    expect(parseAsked(more)).toEqual({
      tab: 'gaps',
      states: ['overdue', 'never'],
      days: 90,
      open: { what: 'grid', id: '33:01' },
    })
    expect(formatAsked(parseAsked(more))).toEqual(more)
    expect(formatAsked(parseAsked({ tab: 'x', of: 'late', time: '31', open: 'place:1' }))).toEqual({})
  })

  it('asks for whole days of the city up to now, or for what was typed', () => {
    const now = Date.parse('2026-11-27T17:00:00Z') / 1000 // the 28th in Shanghai
    const none = { from: null, to: null }
    expect(windowOf(none, 7, now, 'Asia/Shanghai')).toEqual({ from: '2026-11-22' })
    expect(windowOf({ from: null, to: '2026-11-01' }, 7, now, 'Asia/Shanghai')).toEqual({ to: '2026-11-01' })
    expect(windowOf({ from: '2026-10-01', to: null }, 7, now, 'Asia/Shanghai')).toEqual({ from: '2026-10-01' })
  })
})

describe('points', () => {
  const list = [
    point(1),
    point(2, { state: 'overdue', overdue_days: 3 }),
    point(3, { state: 'never', overdue_days: 9, name: 'Bridge', note: '水位' }),
    point(4, { state: 'due', due: '2026-11-27', village: ref('village', 'B'), grid: ref('grid', 'B1') }),
    point(5, { state: 'never', due: '2026-11-30' }),
    point(6, { state: 'ok', grid: undefined, village: undefined, town: undefined }),
  ]
  const all = { area: null, states: [], words: '' } as const

  it('stand with the longest overdue first, then those nobody was at', () => {
    expect(ids(pointsOf(list, all))).toEqual([3, 2, 5, 4, 1, 6])
  })

  it('are found by area, standing and words', () => {
    expect(ids(pointsOf(list, { ...all, area: { level: 'village', code: 'B' } }))).toEqual([4])
    expect(ids(pointsOf(list, { ...all, area: { level: 'town', code: 'T' } }))).toEqual([3, 2, 5, 4, 1])
    expect(ids(pointsOf(list, { ...all, states: ['due', 'overdue'] }))).toEqual([2, 4])
    expect(ids(pointsOf(list, { ...all, words: ' bridge 水位 ' }))).toEqual([3])
    expect(ids(pointsOf(list, { ...all, words: '名B1' }))).toEqual([4])
  })
})

describe('gaps', () => {
  const grids = [grid('A1', 'missed'), grid('A2', 'visited'), grid('A3', 'no_point'), grid('B1', 'missed')]
  const points = [
    point(1, { overdue_days: 2, state: 'overdue' }),
    point(2, { overdue_days: 4, state: 'overdue' }),
    point(3, { grid: ref('grid', 'B1'), village: ref('village', 'B'), overdue_days: 30, state: 'never' }),
  ]

  it('begin where a point waits longest, and end where there is none', () => {
    const found = gapsOf(grids, points, null)
    expect(found.map(g => g.grid.grid.code)).toEqual(['B1', 'A1', 'A3'])
    expect(found.map(g => g.worst?.id ?? null)).toEqual([3, 2, null])
    expect(gapsOf(grids, points, { level: 'village', code: 'A' }).map(g => g.grid.grid.code)).toEqual(['A1', 'A3'])
  })
})

describe('coverage', () => {
  const rate = (part: number, n: number) => ({ part, n, too_few: n < 20 })
  const coverage: PatrolCoverage = {
    from: '2026-11-01T00:00:00Z',
    to: '2026-11-27T00:00:00Z',
    grids: [grid('A1', 'visited'), grid('A2', 'missed'), grid('B1', 'no_point')],
    areas: [
      { area: ref('town', 'T'), visited: rate(1, 3), no_point: 1 },
      { area: ref('village', 'A'), visited: rate(1, 2), no_point: 0 },
      { area: ref('village', 'B'), visited: rate(0, 1), no_point: 1 },
    ],
    visited: rate(1, 3),
    no_point: 1,
  }

  it('leads from towns to villages, the least visited first', () => {
    expect(below(coverage, null).map(a => a.area.code)).toEqual(['T'])
    expect(below(coverage, { level: 'town', code: 'T' }).map(a => a.area.code)).toEqual(['B', 'A'])
    expect(below(coverage, { level: 'town', code: 'U' })).toEqual([])
    expect(below(coverage, { level: 'village', code: 'A' })).toEqual([])
    const village = { ...coverage, areas: coverage.areas.slice(1) }
    expect(below(village, null).map(a => a.area.code)).toEqual(['B', 'A'])
  })

  it('tells apart where all, some or none were visited, and where there is nowhere to go', () => {
    expect(classOf({ visited: rate(2, 2), no_point: 0 })).toBe('all')
    expect(classOf({ visited: rate(1, 2), no_point: 1 })).toBe('some')
    expect(classOf({ visited: rate(0, 2), no_point: 1 })).toBe('missed')
    expect(classOf({ visited: rate(0, 2), no_point: 2 })).toBe('no_point')
  })

  it('is drawn by the smallest level that the map has at a zoom', () => {
    const level = (role: 'town' | 'village' | 'grid', count = 1) => ({ role, name: role, count })
    const cover = coverOf(coverage, [level('town'), level('village'), level('grid')])
    expect(cover.map(c => [c.level, c.from, c.to])).toEqual([
      ['town', 0, 10],
      ['village', 10, 12],
      ['grid', 12, 24],
    ])
    expect(cover[1]!.codes).toEqual({ all: [], some: ['A'], missed: [], no_point: ['B'] })
    expect(cover[2]!.codes).toEqual({ all: ['A1'], some: [], missed: ['A2'], no_point: ['B1'] })
    expect(coverOf(coverage, [level('village', 0), level('grid')]).map(c => [c.level, c.from])).toEqual([['grid', 0]])
    expect(coverOf(undefined, [level('grid')])).toEqual([])
  })
})

it('an area is gone to unless it is well seen already', () => {
  const shown = [120, 30, 121, 31] as const
  expect(wellSeen(shown, [120.4, 30.4, 120.6, 30.6])).toBe(true)
  expect(wellSeen(shown, [120.4, 30.4, 120.45, 30.45])).toBe(false)
  expect(wellSeen(shown, [119.9, 30.4, 120.6, 30.6])).toBe(false)
})

it('areas are named once, from the smaller to the larger', () => {
  expect(apart(['许村社区第4网格', '许村社区', '许村镇'])).toEqual(['许村社区第4网格', '许村镇'])
  expect(apart(['Grid 4', '', 'Xucun Town'])).toEqual(['Grid 4', 'Xucun Town'])
})

describe('a draft', () => {
  const was = point(1, { note: '看水位' })
  const draft = (part: Partial<Draft> = {}): Draft => ({ ...draftOf(was), ...part })

  it('sends what it changes and no more', () => {
    expect(differs(draft(), was)).toEqual([])
    expect(differs(draft({ name: ' 点1 ' }), was)).toEqual([])
    const d = draft({ rhythmDays: 3, note: '', place: { lon: 120.5, lat: 30 } })
    expect(differs(d, was)).toEqual(['note', 'rhythm', 'place'])
    expect(changeOf(d, ['note', 'rhythm', 'place'])).toEqual({ note: '', rhythm_days: 3, lon: 120.5, lat: 30 })
  })

  it('has a name and a rhythm of whole days', () => {
    expect(wrong(draft({ name: ' ' }))).toBe('noName')
    for (const rhythmDays of ['', 0, 367, 1.5] as const) expect(wrong(draft({ rhythmDays }))).toBe('badRhythm')
    expect(wrong(draft({ rhythmDays: 366 }))).toBeNull()
  })
})
