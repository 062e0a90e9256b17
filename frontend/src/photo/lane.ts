import { ask, type CityClient } from '../shared/api/client'
import type { Lane } from './photos'

/** Where a photo's file is: a small one, a large one, or as it was taken. */
export const photoAt = (code: string, id: string, size: 'thumbnail' | 'large' | 'original'): string =>
  `/${code}/v1/photos/${id}/${size}`

/** The uploads of who has signed in. */
export function ownLane(room: { code: string; client: CityClient }): Lane {
  return {
    uploads: `/${room.code}/v1/uploads`,
    look: (id, signal) => ask(room.client.GET('/photos/{id}', { params: { path: { id } }, signal })),
    thumbnail: id => photoAt(room.code, id, 'thumbnail'),
  }
}
