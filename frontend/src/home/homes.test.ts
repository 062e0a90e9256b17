import { describe, expect, it } from 'vitest'
import type { HeldPost, JurisdictionRef, Session } from '../shared/api/types'
import { type PostRole, postRoles } from '../shared/session/roles'
import { beyond, chosenHome, type HomeType, homeOf, homesOf, type ListName, setups } from './homes'

const city: JurisdictionRef = { level: 'city', code: '330481', name: '海宁市' }
const town: JurisdictionRef = { level: 'town', code: '330481103', name: '长安镇' }
const village: JurisdictionRef = { level: 'village', code: '330481103200', name: '褚石村' }
const grid: JurisdictionRef = { level: 'grid', code: '330481103200001', name: '褚石村第1网格' }
const bbox = [120.4, 30.4, 120.5, 30.5]
const post = (role: string, area?: JurisdictionRef, id = 1): HeldPost => ({ id, role, ...(area ? { area, bbox } : {}) })
const session = (posts: HeldPost[], signed_in = true): Session => ({ signed_in, posts, allowed: [], public_map: false })

describe('the home of a role', () => {
  const table: [PostRole, JurisdictionRef | undefined, HomeType, ListName | undefined, 'framed' | 'whole city'][] = [
    ['resident', undefined, 'own', 'reports', 'whole city'],
    ['volunteer', undefined, 'own', 'reports', 'whole city'],
    ['microgrid_leader', grid, 'grid', 'reports', 'framed'],
    ['grid_leader', grid, 'grid', 'reports', 'framed'],
    ['grid_worker', grid, 'grid', 'reports', 'framed'],
    ['auxiliary', town, 'team', 'reports', 'framed'],
    ['officer', town, 'team', 'reports', 'framed'],
    ['unit_member', town, 'team', 'reports', 'framed'],
    ['unit_member', undefined, 'matters', 'reports', 'whole city'],
    ['unit_head', town, 'team', 'reports', 'framed'],
    ['unit_head', undefined, 'matters', 'reports', 'whole city'],
    ['duty_leader', town, 'team', 'reports', 'framed'],
    ['village_secretary', village, 'village', 'reports', 'framed'],
    ['stationed_officer', village, 'village', 'reports', 'framed'],
    ['desk', city, 'live', 'reports', 'framed'],
    ['desk', town, 'live', 'reports', 'framed'],
    ['centre_head', city, 'live', 'reports', 'framed'],
    ['planner', city, 'plans', 'plans', 'framed'],
    ['committee', city, 'months', 'months', 'framed'],
    ['town_leader', town, 'months', 'months', 'framed'],
    ['pro_bono_lawyer', undefined, 'own', 'reports', 'whole city'],
    ['mediator', undefined, 'own', 'reports', 'whole city'],
    ['administrator', city, 'people', 'reports', 'framed'],
    ['hotline', undefined, 'machine', undefined, 'whole city'],
    ['sensor', undefined, 'machine', undefined, 'whole city'],
    ['machine', city, 'machine', undefined, 'whole city'],
  ]

  it.each(table)('%s', (role, area, type, list, frame) => {
    const home = homeOf(post(role, area))
    expect(home.type).toBe(type)
    expect(setups[home.type].lists[0]).toBe(list)
    expect(home.bbox !== null).toBe(frame === 'framed')
    expect(home.area).toEqual(frame === 'framed' ? area : null)
  })

  it('is known for every role', () => {
    expect(new Set(table.map(([role]) => role))).toEqual(new Set(postRoles))
  })

  it('is none for a role that the page does not know', () => {
    expect(homeOf(post('astronaut', town)).type).toBe('none')
  })

  it('has a frame only where the service says where it lies', () => {
    expect(homeOf({ id: 1, role: 'desk', area: town }).bbox).toBeNull()
  })
})

describe('the homes of a person', () => {
  it('are one a post, machines last', () => {
    const homes = homesOf(session([post('machine', undefined, 1), post('desk', city, 2), post('officer', town, 3)]))
    expect(homes.map(h => h.type)).toEqual(['live', 'team', 'machine'])
  })

  it('are never none', () => {
    expect(homesOf(session([])).map(h => h.type)).toEqual(['none'])
    expect(homesOf(session([], false)).map(h => h.type)).toEqual(['public'])
  })

  it('are chosen by the person, as long as the post is held', () => {
    const homes = homesOf(session([post('desk', city, 2), post('officer', town, 3)]))
    expect(chosenHome(homes, '3').type).toBe('team')
    expect(chosenHome(homes, '9').type).toBe('live')
    expect(chosenHome(homes, null).type).toBe('live')
  })

  it('tell whether more is seen than the home', () => {
    const two = homesOf(session([post('desk', town, 2), post('officer', town, 3), post('grid_worker', grid, 4)]))
    expect(beyond(two, two[0]!)).toBe(true)
    const same = homesOf(session([post('desk', town, 2), post('officer', town, 3), post('volunteer', undefined, 5)]))
    expect(beyond(same, same[0]!)).toBe(false)
  })
})
