package secret

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"os"
	"strings"
)

// Origin is where an installation's keys came from.
type Origin string

// The origins, in the order in which they are looked for.
const (
	FromFile        Origin = "file"
	FromEnvironment Origin = "environment"
	// FromDataFolder is for trying things out: whoever steals the folder has
	// both what is sealed and the key.
	FromDataFolder Origin = "data folder"
)

// maxKeyFile bounds a key file in bytes.
const maxKeyFile = 64 << 10

// Load opens the box of an installation: from the key file, else from the
// value (of an environment variable), else from what fallback returns (a
// file in the data folder). All hold the same text, see [Parse].
func Load(file string, value Text, fallback func() ([]byte, error)) (*Box, Origin, error) {
	text, origin := []byte(value.Reveal()), FromEnvironment
	switch {
	case file != "" && value != "":
		return nil, "", fmt.Errorf("secret: there is both a key file (%s) and a key in the environment; keep one", file)
	case file != "":
		info, err := os.Stat(file)
		if err != nil {
			return nil, "", fmt.Errorf("secret: key file: %w", err)
		}
		if !info.Mode().IsRegular() || info.Size() > maxKeyFile {
			return nil, "", fmt.Errorf("secret: key file %s is no file of at most %d bytes", file, maxKeyFile)
		}
		if text, err = os.ReadFile(file); err != nil {
			return nil, "", fmt.Errorf("secret: key file: %w", err)
		}
		origin = FromFile
	case value == "":
		var err error
		if text, err = fallback(); err != nil {
			return nil, "", err
		}
		origin = FromDataFolder
	}
	keys, err := Parse(text)
	if err != nil {
		return nil, "", fmt.Errorf("secret: keys from the %s: %w", origin, err)
	}
	b, err := New(keys...)
	return b, origin, err
}

// Parse reads keys: one a line, 32 bytes in Base64 (RFC 4648, either
// alphabet, padding optional), the current one first, those that it replaced
// below. Empty lines and lines that begin with # are skipped. No error holds
// a part of a key.
func Parse(text []byte) ([][]byte, error) {
	var keys [][]byte
	lines := bufio.NewScanner(bytes.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		plain := strings.NewReplacer("+", "-", "/", "_").Replace(strings.TrimRight(line, "="))
		key, err := base64.RawURLEncoding.DecodeString(plain)
		if err != nil || len(key) != KeySize {
			return nil, fmt.Errorf("line %d is no key; want %d bytes in Base64, for example from `openssl rand -base64 32`", n, KeySize)
		}
		keys = append(keys, key)
	}
	if lines.Err() != nil || len(keys) == 0 {
		return nil, fmt.Errorf("there is no key; want a line of %d bytes in Base64, for example from `openssl rand -base64 32`", KeySize)
	}
	return keys, nil
}

// Generate returns the text of a new key.
func Generate() []byte {
	key := make([]byte, KeySize)
	rand.Read(key)
	return []byte(base64.StdEncoding.EncodeToString(key) + "\n")
}
