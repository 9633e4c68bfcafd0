// Verifies a running ledger with other people's code alone: golang.org/x/mod/sumdb (signed notes, tiles, proofs) and
// github.com/transparency-dev/merkle (RFC 6962 proofs). Nothing of it is ours but the plumbing.
//
//	outside-verifier <ledger URL> <token> <vkey> [<older checkpoint file>]
//
// The URL ends in /api/v1/ledger. Prints one line of JSON with what was verified; exits 1 at the first finding.
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"

	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const tileHeight = 8

type ledger struct {
	url, token string
	// Tiles that were authenticated.
	kept map[string][]byte
}

func (l ledger) get(path string) ([]byte, error) {
	request, err := http.NewRequest("GET", l.url+"/"+path, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("authorization", "Bearer "+l.token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != 200 {
		return nil, fmt.Errorf("%s: status %d", path, response.StatusCode)
	}
	return body, nil
}

// Height, ReadTiles and SaveTiles make the ledger a tlog.TileReader. C2SP paths leave out the height, which is always 8.
func (l ledger) Height() int { return tileHeight }
func (l ledger) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var read [][]byte
	for _, tile := range tiles {
		if data, ok := l.kept[tile.Path()]; ok {
			read = append(read, data)
			continue
		}
		data, err := l.get(strings.Replace(tile.Path(), "tile/8/", "tile/", 1))
		if err != nil {
			return nil, err
		}
		read = append(read, data)
	}
	return read, nil
}
func (l ledger) SaveTiles(tiles []tlog.Tile, data [][]byte) {
	for at, tile := range tiles {
		l.kept[tile.Path()] = data[at]
	}
}

func main() {
	if len(os.Args) < 4 {
		fmt.Fprintln(os.Stderr, "usage: outside-verifier <ledger URL> <token> <vkey> [<older checkpoint file>]")
		os.Exit(2)
	}
	if err := verify(ledger{os.Args[1], os.Args[2], map[string][]byte{}}, os.Args[3], os.Args[4:]); err != nil {
		fmt.Fprintln(os.Stderr, "FAIL:", err)
		os.Exit(1)
	}
}

func verify(l ledger, vkey string, older []string) error {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return err
	}
	signed, err := l.get("checkpoint")
	if err != nil {
		return err
	}
	tree, err := openCheckpoint(signed, verifier)
	if err != nil {
		return err
	}
	// Every tile that the reader gives out has been authenticated against the signed root.
	hashes := tlog.TileHashReader(tree, l)
	entries, err := verifyEntries(l, tree, hashes)
	if err != nil {
		return err
	}
	inclusions, err := verifyInclusions(l, tree, hashes)
	if err != nil {
		return err
	}
	consistencies := 0
	for _, size := range []int64{1, 2, 255, 256, 257, tree.N / 2, tree.N - 1, tree.N} {
		if size < 1 || size > tree.N {
			continue
		}
		if err := verifyConsistency(l, size, tree, hashes, nil); err != nil {
			return err
		}
		consistencies++
	}
	for _, file := range older {
		signed, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		before, err := openCheckpoint(signed, verifier)
		if err != nil {
			return err
		}
		if err := verifyConsistency(l, before.N, tree, hashes, before.Hash[:]); err != nil {
			return err
		}
		consistencies++
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{
		"size": tree.N, "entries": entries, "inclusions": inclusions, "consistencies": consistencies,
	})
}

func openCheckpoint(signed []byte, verifier note.Verifier) (tlog.Tree, error) {
	opened, err := note.Open(signed, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 || lines[0] != verifier.Name() {
		return tlog.Tree{}, fmt.Errorf("checkpoint of %q", lines[0])
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	root, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: size, Hash: root}, err
}

// Every entry of every bundle hashes to the leaf that the authenticated tiles hold at its place.
func verifyEntries(l ledger, tree tlog.Tree, hashes tlog.HashReader) (int64, error) {
	var index int64
	for index < tree.N {
		bundle := tlog.Tile{H: tileHeight, L: -1, N: index / 256, W: int(min(256, tree.N-index))}
		data, err := l.get(strings.Replace(bundle.Path(), "tile/8/data/", "tile/entries/", 1))
		if err != nil {
			return index, err
		}
		var places []int64
		for at := 0; at < bundle.W; at++ {
			places = append(places, tlog.StoredHashIndex(0, index+int64(at)))
		}
		leaves, err := hashes.ReadHashes(places)
		if err != nil {
			return index, err
		}
		for _, leaf := range leaves {
			if len(data) < 2 {
				return index, fmt.Errorf("bundle %d ends before entry %d", bundle.N, index)
			}
			length := int(data[0])<<8 | int(data[1])
			if len(data) < 2+length {
				return index, fmt.Errorf("bundle %d ends inside entry %d", bundle.N, index)
			}
			entry := data[2 : 2+length]
			if tlog.RecordHash(entry) != leaf || !bytes.Equal(rfc6962.DefaultHasher.HashLeaf(entry), leaf[:]) {
				return index, fmt.Errorf("entry %d is not what the tree holds", index)
			}
			data = data[2+length:]
			index++
		}
		if len(data) != 0 {
			return index, fmt.Errorf("bundle %d holds %d bytes too many", bundle.N, len(data))
		}
	}
	return index, nil
}

// The server's audit paths, by both libraries, and equal to the one that x/mod makes from the tiles.
func verifyInclusions(l ledger, tree tlog.Tree, hashes tlog.HashReader) (int, error) {
	count := 0
	step := max(1, tree.N/50)
	for index := int64(0); index < tree.N; index += step {
		var answer struct {
			LeafHash, Root string
			Path           []string
		}
		if err := l.getJSON(fmt.Sprintf("proofs/inclusion?index=%d&size=%d", index, tree.N), &answer); err != nil {
			return count, err
		}
		path, err := decode(answer.Path)
		if err != nil {
			return count, err
		}
		leaf, err := tlog.ParseHash(answer.LeafHash)
		if err != nil {
			return count, err
		}
		if err := proof.VerifyInclusion(rfc6962.DefaultHasher, uint64(index), uint64(tree.N), leaf[:], path, tree.Hash[:]); err != nil {
			return count, fmt.Errorf("inclusion of %d: %w", index, err)
		}
		record := recordProof(path)
		if err := tlog.CheckRecord(record, tree.N, tree.Hash, index, leaf); err != nil {
			return count, fmt.Errorf("inclusion of %d: %w", index, err)
		}
		own, err := tlog.ProveRecord(tree.N, index, hashes)
		if err != nil {
			return count, err
		}
		if fmt.Sprint(own) != fmt.Sprint(record) {
			return count, fmt.Errorf("inclusion of %d: another path than from the tiles", index)
		}
		count++
	}
	return count, nil
}

func verifyConsistency(l ledger, size int64, tree tlog.Tree, hashes tlog.HashReader, known []byte) error {
	var answer struct {
		FromRoot string
		Path     []string
	}
	if err := l.getJSON(fmt.Sprintf("proofs/consistency?from=%d&to=%d", size, tree.N), &answer); err != nil {
		return err
	}
	path, err := decode(answer.Path)
	if err != nil {
		return err
	}
	before, err := tlog.TreeHash(size, hashes)
	if err != nil {
		return err
	}
	if known != nil && !bytes.Equal(known, before[:]) {
		return fmt.Errorf("the checkpoint signed at size %d is no part of this log", size)
	}
	if err := proof.VerifyConsistency(rfc6962.DefaultHasher, uint64(size), uint64(tree.N), path, before[:], tree.Hash[:]); err != nil {
		return fmt.Errorf("consistency from %d: %w", size, err)
	}
	if err := tlog.CheckTree(treeProof(path), tree.N, tree.Hash, size, before); err != nil {
		return fmt.Errorf("consistency from %d: %w", size, err)
	}
	return nil
}

func (l ledger) getJSON(path string, answer any) error {
	data, err := l.get(path)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, answer)
}

func decode(hashes []string) ([][]byte, error) {
	path := [][]byte{}
	for _, hash := range hashes {
		data, err := base64.StdEncoding.Strict().DecodeString(hash)
		if err != nil {
			return nil, err
		}
		path = append(path, data)
	}
	return path, nil
}

func recordProof(path [][]byte) tlog.RecordProof { return tlog.RecordProof(treeProof(path)) }

func treeProof(path [][]byte) tlog.TreeProof {
	converted := tlog.TreeProof{}
	for _, hash := range path {
		converted = append(converted, tlog.Hash(hash))
	}
	return converted
}
