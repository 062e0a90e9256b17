import type { Mover } from '../shared/map/citymap'
import type { Box } from '../shared/map/geo'

/**
 * Which part of the map the list and the numbers are of: what a person looks at. It stays when the page brings a report
 * into view, or a drawer takes room from the map, so that going down the list does not change the list.
 */
export class ListBox {
  private seen: Box | null = null

  /** The view came to rest: the box that the list is of from now on, null where it stays as it is. */
  moved(box: Box, by: Mover): Box | null {
    const more = this.seen === null || !holds(this.seen, box)
    this.seen = box
    return by === 'person' || (by === 'room' && more) ? box : null
  }
}

/** Whether outer holds inner, but for what a pixel or so is worth. */
function holds(outer: Box, inner: Box): boolean {
  const slack = (outer[2] - outer[0]) / 500
  return (
    inner[0] >= outer[0] - slack &&
    inner[1] >= outer[1] - slack &&
    inner[2] <= outer[2] + slack &&
    inner[3] <= outer[3] + slack
  )
}
