import { describe, expect, it } from 'vitest'
import { outcomesOf, stepsOf, verdict } from './importing'
import type { ImportedRow, PeopleImport } from './types'

const row = (more: Partial<ImportedRow>): ImportedRow => ({
  line: 2,
  outcome: 'unchanged',
  name: '王芳',
  changes: [],
  ...more,
})
const table = (counts: Partial<PeopleImport['counts']>): PeopleImport => ({
  preview: true,
  rows: [],
  counts: { new: 0, changed: 0, unchanged: 0, error: 0, ...counts },
})

describe('a table to be imported', () => {
  it('is imported whole or not at all', () => {
    expect(verdict(table({ new: 2, changed: 1, unchanged: 9 }))).toEqual({ rows: 3, may: true })
    expect(verdict(table({ new: 2, error: 1 }))).toEqual({ rows: 2, may: false })
    expect(verdict(table({ unchanged: 9 }))).toEqual({ rows: 0, may: false })
  })
  it('shows its errors first', () => {
    expect(outcomesOf(table({ new: 1, error: 1 }))).toEqual(['error', 'new'])
    expect(outcomesOf(table({}))).toEqual([])
  })
})

describe('a row', () => {
  it('that is new tells of the person and the post', () => {
    expect(stepsOf(row({ outcome: 'new' }))).toEqual([{ key: 'import.newPerson' }])
    expect(stepsOf(row({ outcome: 'new', role: 'desk' }))).toEqual([
      { key: 'import.newPerson' },
      { key: 'import.newPost', role: 'desk' },
    ])
  })
  it('that gives somebody a post tells of that alone, beside what changes', () => {
    const changes = [
      { field: 'email', before: 'a@example.org', after: 'b@example.org' },
      { field: 'post', before: '', after: '' },
    ]
    expect(stepsOf(row({ outcome: 'new', role: 'desk', changes }))).toEqual([
      { key: 'import.change', field: 'email', before: 'a@example.org', after: 'b@example.org' },
      { key: 'import.newPost', role: 'desk' },
    ])
  })
  it('that changes tells from what to what', () => {
    expect(stepsOf(row({ outcome: 'changed', changes: [{ field: 'ends', before: '', after: '2026-12-31' }] }))).toEqual(
      [{ key: 'import.change_set', field: 'ends', after: '2026-12-31' }],
    )
  })
  it('that stays tells nothing', () => expect(stepsOf(row({}))).toEqual([]))
})
