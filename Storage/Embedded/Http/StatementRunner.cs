using System.Buffers;
using System.Text;
using Sketch.Storage.Sql;

namespace Sketch.Storage.Embedded.Http;

/// <summary>Runs one statement on a connection: streams what a SELECT finds, appends what an INSERT brings.</summary>
internal sealed class StatementRunner(EmbeddedEngine engine, ChdbConnection connection, HttpCall call, HttpReply reply, string mark)
{
    private const int MaxStatementBytes = 16 << 20;
    private const int PrefixBytes = 256 << 10;
    private const int ChunkBytes = 1 << 20;

    public async Task RunAsync(bool reader)
    {
        await using Stream body = call.Body();
        byte[] prefix = ArrayPool<byte>.Shared.Rent(PrefixBytes);
        try
        {
            int length = await body.ReadAtLeastAsync(prefix.AsMemory(0, PrefixBytes), PrefixBytes, throwOnEndOfStream: false, call.Aborted);
            byte[] query = Encoding.UTF8.GetBytes(call.Query);
            bool inBody = query.Length == 0;
            ReadOnlyMemory<byte> text = inBody ? prefix.AsMemory(0, length) : query;
            if (!reader && InsertStatement.TryParse(text.Span, out InsertStatement insert))
            {
                string sql = Encoding.UTF8.GetString(text.Span[..insert.SqlLength]);
                ReadOnlyMemory<byte> inline = text[Math.Min(insert.DataStart, text.Length)..];
                await InsertAsync(sql, insert.Format, inline, inBody ? default : prefix.AsMemory(0, length), body);
                return;
            }

            string statement = await StatementAsync(query, prefix.AsMemory(0, length), body, reader ? SqlGate.MaxBytes : MaxStatementBytes);
            if (reader && GoHello.Answer(statement, call.Own("client_protocol_version"), engine.Version, engine.TimeZone) is { } hello)
            {
                await reply.WriteAsync(hello, "Native", default);
                await reply.CompleteAsync("Native", default);
                return;
            }

            await ExecuteAsync(reader ? Gate(statement) : statement, reader);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(prefix);
        }
    }

    private async Task<string> StatementAsync(byte[] query, ReadOnlyMemory<byte> prefix, Stream body, int limit)
    {
        using MemoryStream text = new();
        text.Write(query);
        if (query.Length > 0 && prefix.Length > 0)
        {
            text.WriteByte((byte)'\n');
        }

        text.Write(prefix.Span);
        byte[] chunk = new byte[64 << 10];
        for (int read; (read = await body.ReadAsync(chunk, call.Aborted)) > 0;)
        {
            text.Write(chunk, 0, read);
            if (text.Length > limit)
            {
                throw new ChdbException(62, $"the statement has more than {limit} bytes; allowed: {limit}");
            }
        }

        return Encoding.UTF8.GetString(text.GetBuffer(), 0, (int)text.Length);
    }

    private string Gate(string statement)
    {
        try
        {
            string sql = SqlGate.Check(statement);
            (uint statements, StatementClass kind) = connection.Classify(sql);
            if (kind == StatementClass.Unknown)
            {
                // It does not parse. EXPLAIN AST runs nothing, and its error says where the mistake is.
                connection.Query("EXPLAIN AST " + sql).Dispose();
            }

            return statements == 1 && kind == StatementClass.Read
                ? sql
                : throw new SqlRefusedException("the statement does more than reading; allowed: one statement that reads");
        }
        catch (SqlRefusedException refused)
        {
            throw new ChdbException(HttpErrors.AccessDenied, refused.Message);
        }
    }

    private async Task ExecuteAsync(string sql, bool reader)
    {
        string format = HttpFormats.Of(sql, call.Format);
        (uint statements, StatementClass kind) = connection.Classify(sql);
        if (statements > 1)
        {
            throw new ChdbException(62, "Multi-statements are not allowed");
        }

        // A query that gives nothing yet cannot be cancelled through its own connection: it is killed by its mark through another.
        await using CancellationTokenRegistration kill = call.Aborted.Register(() => ThreadPool.QueueUserWorkItem(_ => engine.Kill(mark)));
        if (kind == StatementClass.Read && statements == 1 && IsSelect(sql) && ResultChunks.CanStream(format, sql, call.Settings))
        {
            await StreamAsync(sql, format);
            return;
        }

        if (reader)
        {
            engine.LimitWholeResult(connection);
        }

        // What does not parse goes to the engine as well: its own error says where.
        using ChdbResult result = await Task.Run(() => connection.Query(sql, call.Format, call.Parameters), CancellationToken.None);
        await WriteAsync(result, 0, format, result.Figures);
        await reply.CompleteAsync(format, result.Figures);
    }

    /// <summary>SHOW, DESCRIBE, EXPLAIN and EXISTS read too, but the engine gives their small results whole only.</summary>
    private static bool IsSelect(string sql)
    {
        byte[] text = Encoding.UTF8.GetBytes(sql);
        SqlTokenizer tokenizer = new(text);
        SqlToken token;
        do
        {
            token = tokenizer.Next();
        }
        while (token.Kind == SqlTokenKind.Symbol);
        return InsertStatement.Is(text, token, "SELECT") || InsertStatement.Is(text, token, "WITH") || InsertStatement.Is(text, token, "FROM");
    }

    private async Task StreamAsync(string sql, string format)
    {
        using ChdbResult stream = await Task.Run(() => connection.StreamQuery(sql, call.Format, call.Parameters), CancellationToken.None);
        QueryFigures figures = default;
        bool first = true;
        bool ended = false;
        try
        {
            while (true)
            {
                ChdbResult chunk;
                try
                {
                    chunk = await Task.Run(() => connection.Fetch(stream), CancellationToken.None);
                }
                catch (ChdbException)
                {
                    ended = true;
                    throw;
                }

                using (chunk)
                {
                    if (chunk.IsEmpty)
                    {
                        ended = true;
                        await reply.CompleteAsync(format, figures);
                        return;
                    }

                    figures += chunk.Figures;
                    await WriteAsync(chunk, first ? 0 : ResultChunks.HeaderLength(format, chunk.Slice(0, (int)Math.Min(chunk.Length, ChunkBytes))), format, figures);
                    first = false;
                }
            }
        }
        finally
        {
            if (!ended)
            {
                await Task.Run(() => connection.Cancel(stream), CancellationToken.None);
            }
        }
    }

    private async Task WriteAsync(ChdbResult result, int start, string format, QueryFigures figures)
    {
        byte[] copy = ArrayPool<byte>.Shared.Rent((int)Math.Clamp(result.Length, 1, ChunkBytes));
        try
        {
            for (long at = start; at < result.Length; at += ChunkBytes)
            {
                int part = (int)Math.Min(ChunkBytes, result.Length - at);
                result.Slice(at, part).CopyTo(copy);
                await reply.WriteAsync(copy.AsMemory(0, part), format, figures);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(copy);
        }
    }

    private async Task InsertAsync(string sql, string format, ReadOnlyMemory<byte> first, ReadOnlyMemory<byte> second, Stream rest)
    {
        QueryFigures figures;
        using (ChdbInsert insert = await Task.Run(() => connection.Insert(sql, format), CancellationToken.None))
        {
            byte[] buffer = ArrayPool<byte>.Shared.Rent(ChunkBytes);
            try
            {
                await AppendAsync(insert, first);
                await AppendAsync(insert, second);
                while (true)
                {
                    int read = await rest.ReadAtLeastAsync(buffer.AsMemory(0, ChunkBytes), ChunkBytes, throwOnEndOfStream: false, call.Aborted);
                    if (read == 0)
                    {
                        break;
                    }

                    await AppendAsync(insert, buffer.AsMemory(0, read));
                }
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(buffer);
            }

            figures = await Task.Run(insert.Complete, CancellationToken.None);
        }

        await reply.CompleteAsync(call.Format, figures);
    }

    private static Task AppendAsync(ChdbInsert insert, ReadOnlyMemory<byte> data) =>
        data.IsEmpty ? Task.CompletedTask : Task.Run(() => insert.Append(data.Span), CancellationToken.None);
}
