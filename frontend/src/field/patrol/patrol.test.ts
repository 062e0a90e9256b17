import { describe, expect, test } from 'vitest'
import { ahead, type PatrolPoint, reached, visitOf } from './patrol'

const at = (m: number) => 30 + m / 111_195
const point = (id: number, m: number, state: PatrolPoint['state'] = 'due') =>
  ({ id, name: `点${id}`, lon: 120, lat: at(m), state }) as PatrolPoint
const fix = (m: number, accuracyM = 8) => ({ lon: 120, lat: at(m), accuracyM, at: 1000 })

describe('on patrol', () => {
  test('who stands within 50 m was there, once', () => {
    const points = [point(1, 0), point(2, 49), point(3, 51)]
    expect(reached(points, fix(0), new Set()).map(p => p.id)).toEqual([1, 2])
    expect(reached(points, fix(0), new Set([1])).map(p => p.id)).toEqual([2])
    expect(reached(points, fix(0, 101), new Set())).toEqual([])
  })

  test('the nearest lies ahead; without a position what is due', () => {
    const points = [point(1, 300, 'ok'), point(2, 100, 'overdue'), point(3, 200, 'due'), point(4, 10, 'never')]
    const ids = (f: ReturnType<typeof fix> | null, done: number[] = []) =>
      ahead(points, f, new Set(done)).map(a => a.point.id)
    expect(ids(fix(0))).toEqual([4, 2, 3, 1])
    expect(ids(fix(0), [4])).toEqual([2, 3, 1, 4])
    expect(ids(null)).toEqual([2, 3, 4, 1])
  })

  test('a visit tells where one stood and when', () => {
    expect(visitOf(point(7, 0), fix(3)).body).toEqual({
      point: 7,
      name: '点7',
      at: 1000,
      lon: 120,
      lat: at(3),
      accuracyM: 8,
    })
  })
})
