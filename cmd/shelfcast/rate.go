package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/shelfcast/shelfcast/internal/ratelimit"
)

// rate is a setting of how often something may be done. "20" is 20 a second, with bursts of several
// times as many; "100/15m" is 100 at once, of which each comes back after a hundredth of 15 minutes.
type rate struct {
	count float64
	// within is the time for count; 0: a second, with bursts.
	within time.Duration
}

// burst is how many may come at once for each of a rate per second.
const burst = 5

// maxRate is more a second than any machine answers, and with its bursts still an int everywhere.
const maxRate = 100_000_000

func perSecond(count float64) rate { return rate{count: count} }

// Decode is called by kong with what the command line, the environment or the file says. A number
// in the file is no text.
func (r *rate) Decode(ctx *kong.DecodeContext) error {
	token, err := ctx.Scan.PopValue("rate")
	if err != nil {
		return err
	}
	*r, err = parseRate(fmt.Sprint(token.Value))
	return err
}

var errRate = errors.New("is neither a number a second, such as 20, nor a number within a time, such as 100/15m")

func parseRate(text string) (rate, error) {
	count, within, windowed := strings.Cut(text, "/")
	var r rate
	var err error
	if r.count, err = strconv.ParseFloat(count, 64); err != nil {
		return rate{}, fmt.Errorf("%.32q %w", text, errRate)
	}
	if windowed {
		if r.within, err = time.ParseDuration(within); err != nil || r.within <= 0 {
			return rate{}, fmt.Errorf("%.32q %w", text, errRate)
		}
	}
	return r, nil
}

// MarshalYAML is what config print shows, and the file may say.
func (r rate) MarshalYAML() (any, error) {
	if r.within == 0 {
		return r.count, nil
	}
	return r.String(), nil
}

func (r rate) String() string {
	count := strconv.FormatFloat(r.count, 'g', -1, 64)
	if r.within == 0 {
		return count
	}
	// 15m0s is how time writes what people write as 15m.
	within := strings.TrimSuffix(r.within.String(), "0s")
	if strings.HasSuffix(within, "h0m") {
		within = strings.TrimSuffix(within, "0m")
	}
	if within == "" || strings.TrimRight(within, "0123456789") == "" {
		within = r.within.String()
	}
	return count + "/" + within
}

// check says what is wrong with a rate of what is counted, such as "requests".
func (r rate) check(counted string) error {
	switch {
	case !(r.count > 0) || r.count > maxRate: // NaN is not greater than 0
		return fmt.Errorf("%v is not a number of %s above 0 and up to %d; --limits off lifts the limits", r.count, counted, maxRate)
	case r.within != 0 && (r.count < 1 || r.count != float64(int(r.count))):
		return fmt.Errorf("%s: within a time there can only be a whole number of %s", r, counted)
	}
	return nil
}

// bucket is the rate as it is counted.
func (r rate) bucket() ratelimit.Rate {
	if r.within == 0 {
		return ratelimit.Rate{PerSecond: r.count, Burst: max(1, int(burst*r.count))}
	}
	return ratelimit.Rate{PerSecond: r.count / r.within.Seconds(), Burst: int(r.count)}
}
