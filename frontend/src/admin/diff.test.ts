import { describe, expect, it } from 'vitest'
import zh from '../shared/i18n/admin.zh'
import { actKey, differences, subjectOf } from './diff'

const post = { post: 7, role: 'grid_worker', level: 'grid', code: '330481101200001', begins: '2026-11-01' }

describe('what an act changed', () => {
  it('is what differs, beside the role that it is about', () => {
    expect(differences(post, { ...post, ends: '2026-12-31' })).toEqual([
      { field: 'role', before: 'grid_worker', after: 'grid_worker' },
      { field: 'ends', before: undefined, after: '2026-12-31' },
    ])
  })
  it('is everything of what is new', () => {
    expect(differences(undefined, post).map(d => d.field)).toEqual(['post', 'role', 'level', 'code', 'begins'])
    expect(differences(null, post).every(d => d.before === undefined)).toBe(true)
  })
  it('tells of what is gone', () => {
    expect(differences({ ends: '2026-12-31' }, {})).toEqual([{ field: 'ends', before: '2026-12-31', after: undefined }])
  })
  it('leaves the list of changed fields out where they are shown', () => {
    expect(differences({ kind: 'town_team' }, { kind: 'town_team', closed: true, changed: ['name'] })).toEqual([
      { field: 'closed', before: undefined, after: true },
    ])
    expect(differences(undefined, { changed: ['name', 'phone'] })).toEqual([
      { field: 'changed', before: undefined, after: ['name', 'phone'] },
    ])
  })
  it('takes a value that is no object, and one within another', () => {
    expect(differences(undefined, true)).toEqual([{ field: 'value', before: undefined, after: true }])
    expect(differences({ lon: 1, at: { lat: 2 } }, { lon: 1, at: { lat: 3 } })).toEqual([
      { field: 'lat', before: 2, after: 3 },
    ])
  })
  it('is nothing of nothing', () => expect(differences(undefined, undefined)).toEqual([]))
})

describe('a subject', () => {
  it.each([
    ['person:0198c0de', 'person', '0198c0de'],
    ['places', 'places', ''],
    ['a:b:c', 'a', 'b:c'],
  ])('%s', (text, kind, id) => expect(subjectOf(text)).toEqual({ kind, id }))
  it('has a key for each act', () => expect(actKey('totp.recovery_codes')).toBe('act.totp_recovery_codes'))
  it('has a family of acts for each that there is, and no other', () => {
    const families = Object.keys(zh.act).map(act => act.split('_')[0]!)
    expect(Object.keys(zh.audit.group).sort()).toEqual([...new Set(families)].sort())
  })
})
