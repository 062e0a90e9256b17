import { describe, expect, it } from 'vitest'
import type { Box } from '../shared/map/geo'
import { ListBox } from './listbox'

const city: Box = [120.3, 30.2, 120.9, 30.6]
const narrowed: Box = [120.3, 30.2, 120.7, 30.6]
const panned: Box = [120.5, 30.2, 120.9, 30.6]

function looking(box: Box): ListBox {
  const list = new ListBox()
  list.moved(box, 'room')
  return list
}

describe('the box of the list', () => {
  it('is what is shown at first', () => {
    expect(new ListBox().moved(city, 'room')).toEqual(city)
  })

  it('goes where a person goes, also further in', () => {
    expect(looking(city).moved(panned, 'person')).toEqual(panned)
  })

  it('stays when a drawer opens, and when the page then brings a report into view', () => {
    const list = looking(city)
    expect(list.moved(narrowed, 'room')).toBeNull()
    expect(list.moved(panned, 'page')).toBeNull()
    expect(list.moved([120.5, 30.21, 120.9, 30.6], 'room')).toBeNull()
  })

  it('is never less than what is shown once there is more room', () => {
    const list = looking(narrowed)
    expect(list.moved(city, 'room')).toEqual(city)
  })

  it('does not take a rounding for more room', () => {
    expect(looking(city).moved([120.2999, 30.2, 120.7, 30.6], 'room')).toBeNull()
  })
})
