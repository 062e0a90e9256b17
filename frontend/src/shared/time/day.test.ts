import { describe, expect, it } from 'vitest'
import { later, tidyDay } from './day'

describe('a typed day', () => {
  it.each([
    ['2026-04-01', '2026-04-01'],
    ['2026-4-1', '2026-04-01'],
    [' 2026/4/1 ', '2026-04-01'],
    ['2026.4.1', '2026-04-01'],
    ['2026年4月1日', '2026-04-01'],
    ['20260401', '2026-04-01'],
    ['2024-02-29', '2024-02-29'],
    ['2026-02-29', null],
    ['2026-13-01', null],
    ['2026-00-10', null],
    ['0999-01-01', null],
    ['04/01/2026', null],
    ['202604011', null],
    ['2026-04-01 08:00', null],
    ['tomorrow', null],
    ['', null],
  ])('%s is %s', (typed, day) => expect(tidyDay(typed)).toBe(day))
})

it('counts days over the ends of months and years', () => {
  expect([later('2026-12-31', 1), later('2026-03-01', -1), later('2024-02-28', 366)]).toEqual([
    '2027-01-01',
    '2026-02-28',
    '2025-02-28',
  ])
})
