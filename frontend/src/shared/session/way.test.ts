import { describe, expect, it } from 'vitest'
import type { Session } from '../api/types'
import type { Absence } from './session'
import { detour, type Place, wayBack, wayIn } from './way'

describe('the way back', () => {
  it.each(['/haining', '/haining/', '/haining?sel=grid:1&at=1,2,3', '/haining/account#two', '/haining/people?q=a//b'])(
    'is a page of the city: %s',
    path => expect(wayBack(path, 'haining')).toBe(path),
  )

  it.each([
    undefined,
    null,
    ['/haining'],
    '',
    'haining',
    '//evil.example',
    '///evil.example/haining',
    '/\\evil.example',
    '/haining\\@evil.example',
    '\\\\evil.example',
    'https://evil.example/haining',
    'javascript:alert(1)',
    'data:text/html,x',
    '/\t/evil.example',
    '/\n/evil.example/haining',
    ' /haining',
    '/dc',
    '/hainingx',
    '/haining/../dc',
    '/haining/%2e%2e/dc',
    '/haining/..//evil.example',
    '/haining//evil.example',
    '/haining/v1/session',
    '/haining/v1',
    '/haining/sign-in?next=/haining/sign-in',
    '/',
    `/haining?${'x'.repeat(5000)}`,
  ])('is not: %s', path => expect(wayBack(path, 'haining')).toBeNull())
})

const visitor: Session = { signed_in: false, posts: [], allowed: [], public_map: false }
const someone: Session = { ...visitor, signed_in: true }
const map: Place = { page: 'map', path: '/haining?sel=town:1' }
const signIn: Place = { page: 'sign-in', path: '/haining/sign-in' }
const account: Place = { page: 'other', path: '/haining/account' }

describe('the page that comes first', () => {
  it('is where the person’s work is, where no other was asked for', () => {
    const start = '/haining/people'
    expect(detour(someone, signIn, 'haining', 'new', start)).toEqual({ path: start })
    const asked = { ...signIn, next: '/haining?sel=town:1' }
    expect(detour(someone, asked, 'haining', 'new', start)).toEqual({ path: '/haining?sel=town:1' })
  })

  it.each<[string, Session, Place, Absence, ReturnType<typeof detour>]>([
    ['a visitor signs in', visitor, map, 'new', { path: '/haining/sign-in', next: '/haining?sel=town:1' }],
    ['the home needs no way back', visitor, { ...map, path: '/haining' }, 'new', { path: '/haining/sign-in' }],
    ['who left leaves no way back', visitor, map, 'left', { path: '/haining/sign-in' }],
    ['the open map is open', { ...visitor, public_map: true }, map, 'new', null],
    ['also to who left', { ...visitor, public_map: true }, map, 'left', null],
    [
      'who was at work signs in again, and goes on',
      { ...visitor, public_map: true },
      map,
      'ended',
      { path: '/haining/sign-in', next: '/haining?sel=town:1' },
    ],
    [
      'a report is not open',
      { ...visitor, public_map: true },
      { ...map, path: '/haining?z=3&sel=report:7' },
      'new',
      { path: '/haining/sign-in', next: '/haining?z=3&sel=report:7' },
    ],
    [
      'nor to who left it',
      { ...visitor, public_map: true },
      { ...map, path: '/haining?sel=report:7' },
      'left',
      { path: '/haining/sign-in' },
    ],
    [
      'an account is not',
      { ...visitor, public_map: true },
      account,
      'new',
      { path: '/haining/sign-in', next: '/haining/account' },
    ],
    ['a visitor may see the sign-in page', visitor, signIn, 'new', null],
    ['who is in sees the map', someone, map, 'new', null],
    ['who is in has no use for the sign-in page', someone, signIn, 'new', { path: '/haining' }],
    ['and goes back', someone, { ...signIn, next: '/haining?sel=town:1' }, 'new', { path: '/haining?sel=town:1' }],
    ['but to no other site', someone, { ...signIn, next: '//evil.example' }, 'new', { path: '/haining' }],
    [
      'a given password is changed first',
      { ...someone, must_change_password: true },
      map,
      'new',
      { path: '/haining/account' },
    ],
    [
      'a second factor comes first',
      { ...someone, needs_second_factor: true },
      signIn,
      'new',
      { path: '/haining/account' },
    ],
    ['which is done in the account', { ...someone, needs_second_factor: true }, account, 'new', null],
    [
      'wherever in it',
      { ...someone, needs_second_factor: true },
      { ...account, path: '/haining/account/?a=1#b' },
      'new',
      null,
    ],
  ])('%s', (_, session, to, absence, want) => expect(detour(session, to, 'haining', absence)).toEqual(want))
})

describe('the way in from the open map', () => {
  it('leads back to what was chosen there, and to nothing else', () => {
    const path = '/haining/sign-in'
    expect(wayIn('/haining?from=2026-10-01&sel=town:1', 'haining')).toEqual({
      path,
      query: { next: '/haining?from=2026-10-01&sel=town:1' },
    })
    expect(wayIn('/haining?from=2026-10-01', 'haining')).toEqual({ path, query: {} })
    expect(wayIn('//evil.example?sel=town:1', 'haining')).toEqual({ path, query: {} })
  })
})
