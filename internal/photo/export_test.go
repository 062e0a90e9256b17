package photo

import "context"

// FillShelf takes all the room there is for files, until it is given back.
func (w *Workshop) FillShelf(ctx context.Context) (done func(), err error) {
	return w.shelve(ctx, filesMemory)
}
