// The prepared statements of the outbox file; used by outbox_disk.cpp alone.
#pragma once

#include <memory>
#include <utility>

#include "store/outbox_disk.h"

namespace lightship {

struct OutboxDisk::Statements {
  sqlite::Statement insert, remove, count, aside, forget_aside, lane, oldest, read, trim, new_queue,
      last_id;

  static Result<std::unique_ptr<Statements>> prepare(sqlite::Database& database) {
    auto made = std::make_unique<Statements>();
    const std::pair<sqlite::Statement*, const char*> all[] = {
        {&made->insert,
         "INSERT OR REPLACE INTO "
         "message(row,key,sequence,target,timestamp,interval,qos,retain,cost,"
         "body) VALUES(?,?,?,?,?,?,?,?,?,?)"},
        {&made->remove, "DELETE FROM message WHERE row=?"},
        {&made->count,
         "INSERT INTO counter(queue,key,last) VALUES(?,?,?) ON CONFLICT(queue,key) DO UPDATE SET "
         "last=max(last,excluded.last)"},
        {&made->aside,
         "INSERT INTO aside(queue,row,at,reason,key,sequence,target,timestamp,interval,qos,retain,"
         "body) SELECT row>>48,row,?,?,key,sequence,target,timestamp,interval,qos,retain,body FROM "
         "message WHERE row=?"},
        {&made->forget_aside, "DELETE FROM aside WHERE id<=(SELECT max(id) FROM aside)-?"},
        {&made->lane,
         "SELECT count(*),total(cost),max(row) FROM message WHERE row BETWEEN ? AND ?"},
        {&made->oldest,
         "SELECT timestamp FROM message WHERE row BETWEEN ? AND ? ORDER BY row LIMIT 1"},
        {&made->read,
         "SELECT row,key,sequence,target,timestamp,interval,qos,retain,body FROM message WHERE "
         "row>? "
         "AND row<=? ORDER BY row LIMIT ?"},
        {&made->trim,
         "SELECT row,cost,key FROM message WHERE row>? AND row<=? ORDER BY row LIMIT ?"},
        {&made->new_queue, "INSERT OR IGNORE INTO queue(number,name) VALUES(?,?)"},
        {&made->last_id,
         "INSERT INTO meta(name,value) VALUES('last_id',?) ON CONFLICT(name) DO UPDATE SET "
         "value=max(value,excluded.value)"},
    };
    for (const auto& [statement, sql] : all) {
      auto prepared = database.prepare(sql);
      if (!prepared) return fail(prepared.error());
      *statement = std::move(*prepared);
    }
    return made;
  }
};

}  // namespace lightship
