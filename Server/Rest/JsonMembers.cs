using System.Globalization;
using System.Text.Json;

namespace Sketch.Server.Rest;

/// <summary>The members of a small JSON object, each checked as it is read. Unknown and repeated members are refused.</summary>
internal sealed class JsonMembers
{
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 8 };
    private readonly JsonElement _object;

    private JsonMembers(JsonElement @object, ReadOnlySpan<string> known)
    {
        _object = @object;
        foreach (JsonProperty member in @object.EnumerateObject())
        {
            if (!known.Contains(member.Name))
                throw new ProblemException(Problem.Invalid(member.Name, "not a member", string.Join(", ", known.ToArray())));
        }
    }

    /// <summary>Reads a body that is one object; an empty body is an empty object.</summary>
    /// <exception cref="ProblemException">It is not, or has other members.</exception>
    public static JsonMembers Parse(ReadOnlyMemory<byte> body, params ReadOnlySpan<string> known)
    {
        string allowed = "a JSON object with " + string.Join(", ", known.ToArray());
        if (body.IsEmpty)
            body = "{}"u8.ToArray();
        JsonElement element;
        try
        {
            element = JsonElement.Parse(body.Span, Strict);
        }
        catch (JsonException failure)
        {
            throw new ProblemException(JsonErrors.Malformed(failure, 0, allowed));
        }

        return element.ValueKind == JsonValueKind.Object
            ? new JsonMembers(element, known)
            : throw new ProblemException(Problem.Invalid("body", element.GetRawText(), allowed));
    }

    /// <summary>A string, or null when it is absent.</summary>
    public string? Text(string name, string allowed) => Find(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.String } text => Decode(text, name, allowed),
        { } other => throw Refuse(name, other, allowed),
    };

    /// <summary>A Boolean, or null when it is absent.</summary>
    public bool? Flag(string name) => Find(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        { } other => throw Refuse(name, other, "true or false"),
    };

    /// <summary>A whole number, or null when it is absent.</summary>
    public int? Whole(string name, int min, int max)
    {
        if (Find(name) is not { } value)
            return null;
        return value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int number) && number >= min && number <= max
            ? number
            : throw Refuse(name, value, string.Create(CultureInfo.InvariantCulture, $"a whole number from {min} to {max}"));
    }

    /// <summary>A number, or null when it is absent.</summary>
    public double? Number(string name)
    {
        if (Find(name) is not { } value)
            return null;
        return value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number) && double.IsFinite(number)
            ? number
            : throw Refuse(name, value, "a number");
    }

    /// <summary>An object with these members, or null when it is absent.</summary>
    public JsonMembers? Object(string name, params ReadOnlySpan<string> known)
    {
        if (Find(name) is not { } value)
            return null;
        return value.ValueKind == JsonValueKind.Object
            ? new JsonMembers(value, known)
            : throw Refuse(name, value, "a JSON object with " + string.Join(", ", known.ToArray()));
    }

    /// <summary>A list of strings, or null when it is absent.</summary>
    public List<string>? Texts(string name, int max, string allowed)
    {
        if (Find(name) is not { } list)
            return null;
        if (list.ValueKind != JsonValueKind.Array)
            throw Refuse(name, list, allowed);
        int count = list.GetArrayLength();
        if (count == 0 || count > max)
            throw new ProblemException(Problem.Invalid(name, $"a list of {count}", allowed));

        List<string> texts = new(count);
        foreach (JsonElement item in list.EnumerateArray())
        {
            string place = $"{name}[{texts.Count}]";
            texts.Add(item.ValueKind == JsonValueKind.String ? Decode(item, place, allowed) : throw Refuse(place, item, allowed));
        }

        return texts;
    }

    /// <summary>An object whose members are strings, or null when it is absent.</summary>
    public Dictionary<string, string>? TextByName(string name, string allowed)
    {
        if (Find(name) is not { } map)
            return null;
        if (map.ValueKind != JsonValueKind.Object)
            throw Refuse(name, map, allowed);
        Dictionary<string, string> texts = new(StringComparer.Ordinal);
        foreach (JsonProperty member in map.EnumerateObject())
        {
            string place = $"{name}.{member.Name}";
            texts[member.Name] = member.Value.ValueKind == JsonValueKind.String
                ? Decode(member.Value, place, allowed)
                : throw Refuse(place, member.Value, allowed);
        }

        return texts;
    }

    private JsonElement? Find(string name) =>
        _object.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value : null;

    // Half a surrogate pair, written \ud800, is JSON but not text.
    private static string Decode(JsonElement text, string name, string allowed)
    {
        try
        {
            return text.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw Refuse(name, text, allowed);
        }
    }

    private static ProblemException Refuse(string name, JsonElement value, string allowed) =>
        new(Problem.Invalid(name, value.GetRawText(), allowed));
}
