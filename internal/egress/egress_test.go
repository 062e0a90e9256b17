package egress_test

import (
	"net/netip"
	"testing"

	"gridgov/internal/egress"
)

func TestAddressesOfTheOwnNetwork(t *testing.T) {
	g := &egress.Guard{}
	for _, ip := range []string{"127.0.0.1", "127.9.9.9", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "0.1.2.3",
		"192.0.0.8", "198.18.0.1", "224.0.0.1", "255.255.255.255", "240.0.0.1", "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "fe80::1", "fe80::1%eth0",
		"fc00::1", "fd12:3456::1", "ff02::1", "64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::", "2001:db8::1", "2001::1"} {
		if g.MayCall(netip.MustParseAddr(ip), true) {
			t.Errorf("%s may be called", ip)
		}
	}
	for _, ip := range []string{"1.1.1.1", "8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "240e::1"} {
		if !g.MayCall(netip.MustParseAddr(ip), true) {
			t.Errorf("%s may not be called", ip)
		}
		if g.MayCall(netip.MustParseAddr(ip), false) {
			t.Errorf("%s may be called in the clear", ip)
		}
	}
	g.Allowed = []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}
	if !g.MayCall(netip.MustParseAddr("10.1.2.3"), false) || !g.MayCall(netip.MustParseAddr("::ffff:10.1.2.3"), false) || g.MayCall(netip.MustParseAddr("10.2.2.3"), true) {
		t.Error("what is allowed is not what was allowed")
	}
}
