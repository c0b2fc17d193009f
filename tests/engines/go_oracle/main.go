// Command oracle answers questions about notes, proofs and tiles with the Go team's own note and tlog packages.
// It reads one JSON question per line and writes one JSON answer per line.
package main

import (
	"bufio"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"counterfoil.example/oracle/note"
	"counterfoil.example/oracle/tlog"
)

type question struct {
	Op    string      `json:"op"`
	Note  string      `json:"note"`
	Keys  []string    `json:"keys"`
	Proof []tlog.Hash `json:"proof"`
	Index int64       `json:"index"`
	Old   int64       `json:"old"`
	Size  int64       `json:"size"`
	Leaf  tlog.Hash   `json:"leaf"`
	Root  tlog.Hash   `json:"root"`
	OldR  tlog.Hash   `json:"old_root"`
	Dir   string      `json:"dir"`
	Data  [][]byte    `json:"entries"`
	// A whole size at once: one inclusion proof per leaf, one consistency proof per older size.
	Inclusions    [][]tlog.Hash `json:"inclusions"`
	Consistencies [][]tlog.Hash `json:"consistencies"`
}

type answer struct {
	OK       bool     `json:"ok"`
	Error    string   `json:"error,omitempty"`
	Text     string   `json:"text,omitempty"`
	Verified []string `json:"verified,omitempty"`
	Root     string   `json:"root,omitempty"`
	Accepted int      `json:"accepted"`
}

// cosigner checks timestamped witness signatures (type 0x04), which the note package leaves to its users.
type cosigner struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

func (c cosigner) Name() string    { return c.name }
func (c cosigner) KeyHash() uint32 { return c.hash }
func (c cosigner) Verify(msg, sig []byte) bool {
	if len(sig) != 72 {
		return false
	}
	head := fmt.Sprintf("cosignature/v1\ntime %d\n", binary.BigEndian.Uint64(sig))
	return ed25519.Verify(c.key, append([]byte(head), msg...), sig[8:])
}

func verifier(vkey string) (note.Verifier, error) {
	parts := strings.SplitN(vkey, "+", 3)
	if len(parts) == 3 {
		key, err := base64.StdEncoding.DecodeString(parts[2])
		if err == nil && len(key) == 33 && key[0] == 4 {
			var hash uint32
			if _, err := fmt.Sscanf(parts[1], "%08x", &hash); err != nil {
				return nil, err
			}
			return cosigner{parts[0], hash, ed25519.PublicKey(key[1:])}, nil
		}
	}
	return note.NewVerifier(vkey)
}

// hashes keeps a tree in memory in the tlog package's own order.
type hashes []tlog.Hash

func (h hashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, at := range indexes {
		if at >= int64(len(h)) {
			return nil, errors.New("no such hash")
		}
		out[i] = h[at]
	}
	return out, nil
}

// folder reads tiles of height 8 from a log's folder.
type folder string

func (f folder) Height() int                       { return 8 }
func (f folder) SaveTiles([]tlog.Tile, [][]byte) {}
func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var out [][]byte
	for _, tile := range tiles {
		path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		data, err := os.ReadFile(filepath.Join(string(f), path))
		if err != nil {
			return nil, err
		}
		out = append(out, data)
	}
	return out, nil
}

var leaves hashes
var count int64
var roots = map[int64]tlog.Hash{}

func ask(q question) (a answer, err error) {
	switch q.Op {
	case "note":
		var known []note.Verifier
		for _, vkey := range q.Keys {
			v, err := verifier(vkey)
			if err != nil {
				return a, err
			}
			known = append(known, v)
		}
		n, err := note.Open([]byte(q.Note), note.VerifierList(known...))
		if err != nil {
			return a, err
		}
		a.Text = n.Text
		for _, sig := range n.Sigs {
			a.Verified = append(a.Verified, sig.Name)
		}
	case "inclusion":
		err = tlog.CheckRecord(tlog.RecordProof(q.Proof), q.Size, q.Root, q.Index, q.Leaf)
	case "consistency":
		err = tlog.CheckTree(tlog.TreeProof(q.Proof), q.Size, q.Root, q.Old, q.OldR)
	case "grow": // append entries to the oracle's own tree and say its root
		for _, entry := range q.Data {
			stored, err := tlog.StoredHashes(count, entry, leaves)
			if err != nil {
				return a, err
			}
			leaves = append(leaves, stored...)
			count++
		}
		root, err := tlog.TreeHash(count, leaves)
		if err != nil {
			return a, err
		}
		roots[count] = root
		a.Root = root.String()
	case "size": // every proof of one size against the oracle's own tree
		for i, proof := range q.Inclusions {
			leaf := leaves[tlog.StoredHashIndex(0, int64(i))]
			if err := tlog.CheckRecord(tlog.RecordProof(proof), q.Size, roots[q.Size], int64(i), leaf); err != nil {
				return a, fmt.Errorf("inclusion of %d: %w", i, err)
			}
			a.Accepted++
		}
		for i, proof := range q.Consistencies {
			old := int64(i + 1)
			if err := tlog.CheckTree(tlog.TreeProof(proof), q.Size, roots[q.Size], old, roots[old]); err != nil {
				return a, fmt.Errorf("consistency with %d: %w", old, err)
			}
			a.Accepted++
		}
	case "tiles": // prove one entry from the folder's tiles, which the package checks against the root first
		reader := tlog.TileHashReader(tlog.Tree{N: q.Size, Hash: q.Root}, folder(q.Dir))
		proof, err := tlog.ProveRecord(q.Size, q.Index, reader)
		if err != nil {
			return a, err
		}
		if err := tlog.CheckRecord(proof, q.Size, q.Root, q.Index, q.Leaf); err != nil {
			return a, err
		}
		if q.Old > 0 {
			tree, err := tlog.ProveTree(q.Size, q.Old, reader)
			if err != nil {
				return a, err
			}
			return a, tlog.CheckTree(tree, q.Size, q.Root, q.Old, q.OldR)
		}
	default:
		err = errors.New("no such question")
	}
	return a, err
}

func main() {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := json.NewEncoder(os.Stdout)
	for {
		line, err := in.ReadBytes('\n')
		if len(line) == 0 && err != nil {
			return
		}
		var q question
		var a answer
		if err = json.Unmarshal(line, &q); err == nil {
			a, err = ask(q)
		}
		a.OK = err == nil
		if err != nil {
			a.Error = err.Error()
		}
		out.Encode(a)
	}
}
