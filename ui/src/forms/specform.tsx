// A form made from a connector's spec.
import Form from "@rjsf/core";
import { toErrorSchema, type RJSFSchema, type RJSFValidationError } from "@rjsf/utils";
import { useMemo, useRef, useState, type ReactNode } from "react";
import { Notice } from "../parts/basics";
import { ChoiceField, type ChoiceContext } from "./choice";
import { ArrayTemplate, DescriptionTemplate, ErrorTemplate, FieldTemplate, ObjectTemplate } from "./templates";
import { formSchemaOf, schemaFor, uiSchemaOf, type ConfigData, type SpecSchema } from "./uischema";
import { FormGuard, JsonForm } from "./jsonform";
import { tamed } from "./tame";
import { withoutUntouched } from "./untouched";
import { validatorOf } from "./validator";
import { JsonField } from "./jsonfield";
import { DateWidget, MomentWidget } from "./moment";
import { KEPT_SECRET, KindWidget, LongTextWidget, NumberWidget, SecretTextWidget, SecretWidget, SwitchWidget } from "./widgets";

interface Props {
    id: string;
    /** As the connector has it. */
    spec: unknown;
    value: ConfigData;
    /** As it is kept. */
    before: ConfigData;
    /** What the daemon says of fields, by their paths in the request. */
    refused?: { path: string; message: string }[];
    /** `sent`: what would be sent of it. */
    onChange: (value: ConfigData, sent: ConfigData) => void;
    onSubmit: (value: ConfigData) => void;
    /** Buttons; one of them submits. */
    children: ReactNode;
}

/** Errors as rjsf wants them. A secret that the daemon cannot tell any more, as its item is another, says so. */
function refusalsOf(refused: { path: string; message: string }[], value: ConfigData) {
    const errors = refused.map(({ path, message }) => {
        const parts = path.split(".").slice(1);
        const held = parts.reduce<unknown>((at, part) => (at as ConfigData | undefined)?.[part], value);
        const said = held === KEPT_SECRET ? "Give it again: which one of the list it was kept for cannot be told any more." : message;
        return { property: parts.map((part) => `.${part}`).join(""), message: said, stack: said };
    });
    return toErrorSchema<ConfigData>(errors.filter(({ property }) => property));
}

export function SpecForm(props: Props) {
    const { spec } = props;
    const own = useMemo(() => tamed(spec), [spec]);
    return (
        <FormGuard fallback={(error) => <JsonForm {...props} error={error} />}>
            <DrawnForm {...props} spec={own} />
        </FormGuard>
    );
}

/** What is typed is checked once a field was left; before that nobody is told that it is wrong. */
function DrawnForm({ id, spec, value, before, refused, onChange, onSubmit, children }: Props & { spec: SpecSchema }) {
    const schema = useMemo(() => formSchemaOf(spec), [spec]);
    const uiSchema = useMemo(() => ({ ...uiSchemaOf(spec), "ui:title": "", "ui:description": "" }), [spec]);
    const context = useMemo<ChoiceContext>(() => ({ picked: new Map() }), [spec]);
    const validator = useMemo(() => validatorOf(spec, context.picked, before), [spec, context, before]);
    const [touched, setTouched] = useState(false);
    const [unseen, setUnseen] = useState<string[]>([]);
    const place = useRef<HTMLDivElement>(null);
    const refusals = useMemo(() => refusalsOf(refused ?? [], value), [refused, value]);

    const sentOf = (typed: ConfigData = {}) => withoutUntouched(schemaFor(spec, typed, context.picked), typed, before) as ConfigData;

    /** To the first field that is wrong, so that nobody has to look for it; what no field says is told below them all. */
    function showProblems(errors: RJSFValidationError[]) {
        requestAnimationFrame(() => {
            const form = place.current;
            const saidBy = (property: string) => form?.querySelector(`[id="${CSS.escape(`root${property.replaceAll(".", "_")}__error`)}"]`);
            setUnseen(
                errors.filter(({ property }) => !saidBy(property ?? "")).map(({ property, message }) => `${property?.slice(1) || "The whole"}: ${message}`),
            );
            form?.querySelector<HTMLElement>(".wrong input, .wrong textarea, .wrong select, .wrong button")?.focus();
        });
    }

    return (
        <div ref={place}>
            <Form<ConfigData, RJSFSchema>
                id={id}
                schema={schema}
                uiSchema={uiSchema}
                formData={value}
                validator={validator}
                fields={{ ChoiceField, JsonField }}
                liveValidate={touched}
                extraErrors={refusals}
                showErrorList={false}
                noHtml5Validate
                experimental_defaultFormStateBehavior={{
                    constAsDefaults: "always",
                    emptyObjectFields: "populateAllDefaults",
                    arrayMinItems: { populate: "requiredOnly" },
                }}
                templates={{
                    FieldTemplate,
                    FieldErrorTemplate: ErrorTemplate,
                    ObjectFieldTemplate: ObjectTemplate,
                    ArrayFieldTemplate: ArrayTemplate,
                    DescriptionFieldTemplate: DescriptionTemplate,
                }}
                widgets={{ PasswordWidget: SecretWidget, NumberWidget, LongTextWidget, SecretTextWidget, CheckboxWidget: SwitchWidget, SelectWidget: KindWidget, DateTimeWidget: MomentWidget, DateWidget }}
                formContext={context}
                onChange={(event) => {
                    setUnseen([]);
                    onChange(event.formData ?? {}, sentOf(event.formData));
                }}
                onBlur={() => setTouched(true)}
                onSubmit={(event) => onSubmit(sentOf(event.formData))}
                onError={(errors) => {
                    setTouched(true);
                    showProblems(errors);
                }}
            >
                {unseen.length > 0 && (
                    <Notice kind="error" title="Something is wrong that no field here shows">
                        <ul>
                            {unseen.map((problem) => (
                                <li key={problem}>{problem}</li>
                            ))}
                        </ul>
                    </Notice>
                )}
                {children}
            </Form>
        </div>
    );
}
