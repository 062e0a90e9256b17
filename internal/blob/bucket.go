package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"

	cloud "gocloud.dev/blob"
	"gocloud.dev/blob/s3blob"
	"gocloud.dev/gcerrors"
)

// bucket keeps files in whatever speaks S3. An object is there once the server has acknowledged all of it.
type bucket struct{ *cloud.Bucket }

// openBucket opens s3://BUCKET. region, endpoint, use_path_style and so on are gocloud.dev's; prefix puts all keys under it.
// Who we are, the usual variables and files of S3's clients tell.
func openBucket(ctx context.Context, u *url.URL) (bucket, error) {
	b, err := new(s3blob.URLOpener).OpenBucketURL(ctx, withoutPrefix(u))
	if err != nil {
		return bucket{}, fmt.Errorf("open the bucket %s: %w", u.Host, err)
	}
	if prefix := u.Query().Get("prefix"); prefix != "" {
		b = cloud.PrefixedBucket(b, prefix)
	}
	ok, err := b.IsAccessible(ctx)
	if err == nil && !ok {
		err = errors.New("there is no such bucket, or it may not be read")
	}
	if err != nil {
		return bucket{}, errors.Join(fmt.Errorf("open the bucket %s: %w; name one that is there, with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY of who may read and write it", u.Host, err), b.Close())
	}
	return bucket{b}, nil
}

func withoutPrefix(u *url.URL) *url.URL {
	out := *u
	q := u.Query()
	q.Del("prefix")
	out.RawQuery = q.Encode()
	return &out
}

func (b bucket) put(ctx context.Context, key, path string) (err error) {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // before the writer is closed this gives up what was sent
	w, err := b.NewWriter(ctx, key, &cloud.WriterOptions{ContentType: "application/octet-stream"})
	if err != nil {
		return err
	}
	if _, err := io.Copy(w, f); err != nil {
		cancel()
		return errors.Join(err, w.Close())
	}
	return w.Close()
}

func (b bucket) open(ctx context.Context, key string) (io.ReadCloser, int64, error) {
	r, err := b.NewReader(ctx, key, nil)
	if gcerrors.Code(err) == gcerrors.NotFound {
		return nil, 0, ErrMissing
	} else if err != nil {
		return nil, 0, err
	}
	return r, r.Size(), nil
}

func (b bucket) has(ctx context.Context, key string) (bool, error) { return b.Exists(ctx, key) }

func (b bucket) remove(ctx context.Context, key string) error {
	if err := b.Delete(ctx, key); err != nil && gcerrors.Code(err) != gcerrors.NotFound {
		return err
	}
	return nil
}

func (b bucket) close() error { return b.Close() }
