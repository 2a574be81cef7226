package stix

// comparisons parses what stands inside brackets: OR of AND of tests.
func (p *patternParser) comparisons(op string) (Comparison, error) {
	operand := p.test
	if op == "OR" {
		operand = func() (Comparison, error) { return p.comparisons("AND") }
	}
	terms, err := joined(p, op, operand)
	if err != nil {
		return nil, err
	}
	if len(terms) == 1 {
		return terms[0], nil
	}
	return &Combined{Op: op, Terms: terms}, nil
}

func (p *patternParser) test() (Comparison, error) {
	if err := p.count(); err != nil {
		return nil, err
	}
	if open, err := p.accept(tokenSymbol, "("); err != nil {
		return nil, err
	} else if open {
		return p.inParentheses()
	}
	if p.is(tokenWord, "NOT") || p.is(tokenWord, "EXISTS") {
		return p.exists()
	}
	path, err := p.path()
	if err != nil {
		return nil, err
	}
	negated, err := p.accept(tokenWord, "NOT")
	if err != nil {
		return nil, err
	}
	t := &Test{Path: path, Negated: negated}
	return t, p.operator(t)
}

func (p *patternParser) inParentheses() (Comparison, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	c, err := p.comparisons("OR")
	if err != nil {
		return nil, err
	}
	return c, p.expect(tokenSymbol, ")")
}

func (p *patternParser) exists() (Comparison, error) {
	negated, err := p.accept(tokenWord, "NOT")
	if err != nil {
		return nil, err
	}
	if err := p.expect(tokenWord, "EXISTS"); err != nil {
		return nil, err
	}
	path, err := p.path()
	return &Test{Path: path, Negated: negated, Op: "EXISTS"}, err
}

// operator parses the operator and what it compares with.
func (p *patternParser) operator(t *Test) error {
	if p.now.kind != tokenSymbol && p.now.kind != tokenWord {
		return p.unexpected("a comparison operator")
	}
	orderable := []Kind{KindString, KindInteger, KindFloat, KindTimestamp, KindHex, KindBinary}
	kinds, wanted := orderable, "a value"
	switch t.Op = p.now.text; t.Op {
	case "=", "!=":
		kinds = append(kinds, KindBool)
	case "<", "<=", ">", ">=":
		wanted = "a value that has an order"
	case "LIKE", "MATCHES", "ISSUBSET", "ISSUPERSET":
		kinds, wanted = []Kind{KindString}, "a string"
	case "IN":
		return p.set(t, append(kinds, KindBool))
	default:
		return p.unexpected("a comparison operator")
	}
	if err := p.advance(); err != nil {
		return err
	}
	value, err := p.literal(wanted, kinds...)
	t.Values = []Value{value}
	return err
}

func (p *patternParser) set(t *Test, kinds []Kind) error {
	if err := p.advance(); err != nil {
		return err
	}
	if err := p.expect(tokenSymbol, "("); err != nil {
		return err
	}
	if empty, err := p.accept(tokenSymbol, ")"); empty || err != nil {
		return err
	}
	for {
		if err := p.count(); err != nil {
			return err
		}
		value, err := p.literal("a value", kinds...)
		if err != nil {
			return err
		}
		t.Values = append(t.Values, value)
		if more, err := p.accept(tokenSymbol, ","); err != nil {
			return err
		} else if !more {
			return p.expect(tokenSymbol, ")")
		}
	}
}

// path parses type:property with steps after it.
func (p *patternParser) path() (Path, error) {
	if p.now.kind != tokenName && p.now.kind != tokenHyphen {
		return Path{}, p.unexpected("an object path")
	}
	path := Path{Type: p.now.text}
	if err := p.advance(); err != nil {
		return path, err
	}
	if err := p.expect(tokenSymbol, ":"); err != nil {
		return path, err
	}
	step, err := p.key()
	for err == nil {
		path.Steps = append(path.Steps, step)
		if err = p.count(); err != nil {
			break
		}
		switch {
		case p.is(tokenSymbol, "."):
			if err = p.advance(); err == nil {
				step, err = p.key()
			}
		case p.is(tokenSymbol, "["):
			step, err = p.index()
		default:
			return path, nil
		}
	}
	return path, err
}

func (p *patternParser) key() (Step, error) {
	var step Step
	switch {
	case p.now.kind == tokenName:
		step.Key = p.now.text
	case p.now.kind == tokenValue && p.now.value.Kind == KindString && p.now.value.Text != "":
		step.Key = p.now.value.Text
	default:
		return step, p.unexpected("a property name (in quotes where it has a hyphen)")
	}
	return step, p.advance()
}

func (p *patternParser) index() (Step, error) {
	if err := p.advance(); err != nil {
		return Step{}, err
	}
	step := Step{Index: "*"}
	if star, err := p.accept(tokenSymbol, "*"); err != nil {
		return step, err
	} else if !star {
		value, err := p.literal("an index or *", KindInteger)
		if err != nil {
			return step, err
		}
		step.Index = value.Text
	}
	return step, p.expect(tokenSymbol, "]")
}
