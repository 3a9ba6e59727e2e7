package catalog

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// The letters without their accents (Unicode, NFKD without combining marks, and the usual
// replacement of letters with strokes), one byte for each code point from the first on; "."
// where there is none. package unicode has no decompositions.
const (
	latinFirst = 0x00C0
	latinBase  = "aaaaaa.ceeeeiiiidnooooo.ouuuuy..aaaaaa.ceeeeiiiidnooooo.ouuuuy.y" +
		"aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiii..jjkk.llllll." +
		".llnnnnnn.nnoooooo..rrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs" +
		"................................oo.............uu..............." +
		".............aaiioouuuuuuuuuu.aaaa....ggkkoooo..j...gg..nnaa...." +
		"aaaaeeeeiiiioooorrrruuuusstt..hh......aaeeooooooooyy............" +
		"................"

	latinAdditionalFirst = 0x1E00
	latinAdditionalBase  = "aabbbbbbccddddddddddeeeeeeeeeeffgghhhhhhhhhhiiiikkkkkkllllllllmm" +
		"mmmmnnnnnnnnoooooooopppprrrrrrrrssssssssssttttttttuuuuuuuuuuvvvv" +
		"wwwwwwwwwwxxxxyyzzzzzzhtwy.s....aaaaaaaaaaaaaaaaaaaaaaaaeeeeeeee" +
		"eeeeeeeeiiiioooooooooooooooooooooooouuuuuuuuuuuuuuyyyyyyyy......"
)

// fold brings a text into the form in which texts are searched and sorted: lower case,
// without accents. It covers the Latin alphabets; of others it folds the case only.
func fold(text string) string {
	plain := true // lower-case ASCII already
	for i := range len(text) {
		if c := text[i]; c >= utf8.RuneSelf || 'A' <= c && c <= 'Z' {
			plain = false
			break
		}
	}
	if plain {
		return text
	}
	var folded strings.Builder
	folded.Grow(len(text))
	for _, r := range text {
		switch {
		case r < utf8.RuneSelf:
			if 'A' <= r && r <= 'Z' {
				r += 'a' - 'A'
			}
			folded.WriteByte(byte(r))
		case unicode.Is(unicode.Mn, r): // a combining accent
		default:
			foldWide(&folded, r)
		}
	}
	return folded.String()
}

func foldWide(folded *strings.Builder, r rune) {
	if base, ok := baseLetter(r); ok {
		folded.WriteByte(base)
		return
	}
	switch r {
	case 'Æ', 'æ', 'Ǽ', 'ǽ', 'Ǣ', 'ǣ':
		folded.WriteString("ae")
	case 'Œ', 'œ':
		folded.WriteString("oe")
	case 'ß', 'ẞ':
		folded.WriteString("ss")
	case 'Þ', 'þ':
		folded.WriteString("th")
	case '’', '‘', 'ʼ':
		folded.WriteByte('\'') // typed with the plain one
	default:
		folded.WriteRune(unicode.ToLower(r))
	}
}

func baseLetter(r rune) (byte, bool) {
	table, first := latinBase, rune(latinFirst)
	if r >= latinAdditionalFirst {
		table, first = latinAdditionalBase, latinAdditionalFirst
	}
	at := int(r - first)
	if at < 0 || at >= len(table) || table[at] == '.' {
		return 0, false
	}
	return table[at], true
}
