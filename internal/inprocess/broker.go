// Package inprocess starts a Kafka broker inside the process, for the demo and for tests: kfake, with what it gets wrong
// put right.
package inprocess

import (
	"math"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Broker starts a cluster. Who starts it closes it.
func Broker(opts ...kfake.Opt) (*kfake.Cluster, error) {
	c, err := kfake.NewCluster(opts...)
	if err != nil {
		return nil, err
	}
	// kfake leaves out which transactions were aborted of the partition at which an answer reaches the bytes that the
	// request allows: its reader takes aborted records for committed ones. The bound by partition does not do that.
	c.ControlKey(int16(kmsg.Fetch), func(req kmsg.Request) (kmsg.Response, error, bool) {
		req.(*kmsg.FetchRequest).MaxBytes = math.MaxInt32
		return nil, nil, false // kfake answers, and keeps this function
	})
	return c, nil
}
