package sector

import "slices"

// TLP is a Traffic Light Protocol 2.0 label (FIRST, August 2022).
type TLP string

// The labels, from the widest to the narrowest.
const (
	TLPClear       TLP = "CLEAR"
	TLPGreen       TLP = "GREEN"
	TLPAmber       TLP = "AMBER"
	TLPAmberStrict TLP = "AMBER+STRICT"
	TLPRed         TLP = "RED"
)

// TLPs lists the labels from the widest to the narrowest.
func TLPs() []TLP { return []TLP{TLPClear, TLPGreen, TLPAmber, TLPAmberStrict, TLPRed} }

// DefaultTLP is the centre's default: unmarked is not CLEAR.
const DefaultTLP = TLPAmber

// Valid reports whether t is one of the five labels.
func (t TLP) Valid() bool { return slices.Contains(TLPs(), t) }

// PAP is a Permissible Actions Protocol 2.0 label: what a recipient may do
// with the information where the adversary could notice.
type PAP string

// The labels, from the freest to the most careful.
const (
	PAPClear PAP = "CLEAR"
	PAPGreen PAP = "GREEN"
	PAPAmber PAP = "AMBER"
	PAPRed   PAP = "RED"
)

// PAPs lists the labels from the freest to the most careful.
func PAPs() []PAP { return []PAP{PAPClear, PAPGreen, PAPAmber, PAPRed} }

// DefaultPAP is the centre's default.
const DefaultPAP = PAPGreen

// Valid reports whether p is one of the four labels.
func (p PAP) Valid() bool { return slices.Contains(PAPs(), p) }

// Marking is carried by everything that can be shared.
type Marking struct {
	TLP TLP
	PAP PAP
}

// OrDefault fills what is unmarked with the centre's defaults.
func (m Marking) OrDefault() Marking {
	if m.TLP == "" {
		m.TLP = DefaultTLP
	}
	if m.PAP == "" {
		m.PAP = DefaultPAP
	}
	return m
}

// Attribution says how an object names the member it came from.
type Attribution string

// The attribution modes.
const (
	AttributionNone      Attribution = "none"
	AttributionPseudonym Attribution = "pseudonym"
	AttributionNamed     Attribution = "named"
)
