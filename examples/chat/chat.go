package main

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"log/slog"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/shelfcast/shelfcast/engineio"
	"github.com/shelfcast/shelfcast/socketio"
)

const (
	maxName = 30    // characters of a person's or a room's name
	maxText = 2_000 // characters of a message
)

// chat is a Socket.IO server with the rooms that people talk in.
type chat struct {
	io       *socketio.Server
	rooms    *rooms
	password string
}

// nameKey is where a socket keeps the name of its person.
type nameKey struct{}

func newChat(set settings, logger *slog.Logger) *chat {
	options := &socketio.Options{Options: engineio.Options{Logger: logger}}
	if set.client != "" {
		options.ClientFiles = os.DirFS(set.client)
	}
	c := &chat{io: socketio.NewServer(options), rooms: newRooms(), password: set.password}
	c.io.Use(c.admit)
	c.io.OnConnection(c.welcome)
	return c
}

// admit is the middleware that decides by the client's auth option:
//
//	io({ auth: { name: "Ann", password: "secret" } })
//
// A refused client gets "connect_error" with err.message and err.data.
func (c *chat) admit(s *socketio.Socket) error {
	var auth struct{ Name, Password string }
	if err := json.Unmarshal(s.Handshake().Auth, &auth); err != nil {
		return &socketio.ConnectError{Message: "invalid auth"}
	}
	if subtle.ConstantTimeCompare([]byte(auth.Password), []byte(c.password)) != 1 {
		return &socketio.ConnectError{Message: "wrong password", Data: map[string]string{"field": "password"}}
	}
	name, ok := clean(auth.Name, maxName)
	if !ok {
		return &socketio.ConnectError{Message: "a name has 1 to 30 characters", Data: map[string]string{"field": "name"}}
	}
	s.Set(nameKey{}, name)
	return nil
}

// entered answers "enter".
type entered struct {
	People  []string  `json:"people"`
	History []message `json:"history"`
}

// saying is what "say" and "typing" carry.
type saying struct {
	Room string `json:"room"`
	Text string `json:"text"`
}

// welcome registers what a person may do. All of it is in place before their first event is
// handled, and they come one after the other.
func (c *chat) welcome(s *socketio.Socket) {
	name := s.Get(nameKey{}).(string)

	socketio.OnAck(s, "enter", func(_ context.Context, roomName string) (entered, error) {
		roomName, ok := clean(roomName, maxName)
		if !ok {
			return entered{}, &socketio.EventError{Message: "a room's name has 1 to 30 characters"}
		}
		r, ok := c.rooms.open(roomName)
		if !ok {
			return entered{}, &socketio.EventError{Message: "there are too many rooms"}
		}
		return c.enter(s, r, name), nil
	})

	socketio.OnAck(s, "say", func(_ context.Context, said saying) (message, error) {
		text, ok := clean(said.Text, maxText)
		if !ok {
			return message{}, &socketio.EventError{Message: "a message has 1 to 2,000 characters"}
		}
		r, ok := c.rooms.find(said.Room)
		if !ok || !isIn(s, r.name) {
			return message{}, &socketio.EventError{Message: "enter the room first"}
		}
		return r.add(message{Room: r.name, From: name, Text: text, At: time.Now().UTC()}, func(m message) error {
			return c.io.To(key(r.name)).Emit("message", m)
		})
	})

	// Worth knowing only now: not kept for clients that are busy.
	socketio.On(s, "typing", func(_ context.Context, where saying) error {
		if !isIn(s, where.Room) {
			return nil
		}
		return s.To(key(where.Room)).Volatile().Emit("typing", map[string]string{"room": where.Room, "who": name})
	})

	socketio.OnAck(s, "leave", func(_ context.Context, roomName string) (bool, error) {
		if !isIn(s, roomName) {
			return false, nil
		}
		s.Leave(key(roomName))
		return true, c.io.To(key(roomName)).Emit("left", map[string]string{"room": roomName, "who": name})
	})

	s.OnDisconnecting(func(socketio.Reason) { // Rooms still says where they were
		for _, k := range s.Rooms() {
			roomName := strings.TrimPrefix(k, prefix)
			_ = s.To(k).Emit("left", map[string]string{"room": roomName, "who": name})
		}
	})
}

// enter adds a socket to a room. No message can come between the history that the person is given
// and the first one that they receive: both happen while nobody adds one.
func (c *chat) enter(s *socketio.Socket, r *room, name string) entered {
	here := key(r.name)
	if !isIn(s, r.name) {
		_ = s.To(here).Emit("entered", map[string]string{"room": r.name, "who": name})
	}
	history := r.whileQuiet(func() { s.Join(here) })
	people := []string{}
	for _, other := range c.io.To(here).Sockets() {
		people = append(people, other.Get(nameKey{}).(string))
	}
	return entered{People: people, History: history}
}

// prefix keeps the names that people choose apart from the ids of sockets, which are rooms too.
const prefix = "room:"

func key(roomName string) string { return prefix + roomName }

func isIn(s *socketio.Socket, roomName string) bool {
	for _, k := range s.Rooms() {
		if k == key(roomName) {
			return true
		}
	}
	return false
}

// clean trims a text and reports whether it has between one and most characters.
func clean(text string, most int) (string, bool) {
	text = strings.TrimSpace(text)
	n := utf8.RuneCountInString(text)
	return text, n > 0 && n <= most
}
